"""For people who write detectors: rows with sensible defaults, and a run of one detector over them in this process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from ipaddress import IPv4Address
from typing import Any

import numpy as np
import polars as pl

from guardray.context.enrich import Surroundings
from guardray.dataflow.ingest import Ingest
from guardray.dataflow.report import findings_of
from guardray.dataflow.scan import Collected, Observer
from guardray.dataflow.shard import Shard
from guardray.detectors.declare import EXAMPLES_BEGIN, Detector, Example
from guardray.errors import DetectorError
from guardray.findings.finding import Finding
from guardray.geo.geography import COUNTRIES, Geography
from guardray.geo.shipped import Steps
from guardray.intel.store import IndicatorStore
from guardray.inventory import FACTS
from guardray.inventory.facts import BEGINNING, FactList
from guardray.schema import EventSchema

START = EXAMPLES_BEGIN

ACCOUNT_ID, REGION = "111122223333", "eu-west-1"

DEFAULTS: dict[str, dict[str, Any]] = {
    "api_activity": {"api_operation": "DescribeInstances", "api_service_name": "ec2.amazonaws.com"},
    "network_activity": {"interface_uid": "eni-0123456789abcdef0", "protocol_num": 6, "is_rejected": False},
    "dns_activity": {"query_hostname": "www.example.com", "query_type": "A", "rcode": "NOERROR"},
}


def frame_of(schema: EventSchema, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """A batch of rows, a second apart, in one account and Region; whatever else a row leaves out is null."""
    return schema.frame([_completed(schema, row, index) for index, row in enumerate(rows)])


def findings_from(
    detector: Detector,
    frame: pl.DataFrame,
    indicators: IndicatorStore | None = None,
    now: datetime = START,
    assets: pl.DataFrame | None = None,
    places: Mapping[str, tuple[str, int]] | None = None,
) -> list[Finding]:
    """What the detector finds in a batch, with facts of the inventory and the places of addresses (`world_of`).

    Raises:
        DetectorError: the detector fails.
    """
    geography = world_of(places) if places else None
    ingest = Ingest([detector], Surroundings(indicators or IndicatorStore(), geography), _all_new)
    ingest.on_batch(detector.schema, frame)
    shard = Shard([detector], assets)
    partials = ingest.drain()
    shard.merge(partials)
    collected = Collected(Observer(), FACTS.to_frame() if assets is None else assets)
    collected.add([*partials.sightings, *shard.finish()])
    sightings, detectors = collected.sightings(), {detector.finding_type: detector}
    findings, problems = findings_of(sightings, detectors, now, collected.inventory, geography, indicators)
    for problem in (*ingest.problems, *shard.problems, *problems):
        raise problem
    return findings


def run_example(detector: Detector, example: Example) -> list[Finding]:
    """What the detector finds in one of its examples."""
    return findings_from(
        detector,
        frame_of(detector.schema, example.rows),
        IndicatorStore.of(dict(example.indicators)),
        assets=_assets_of(example),
        places=example.places,
    )


def world_of(places: Mapping[str, tuple[str, int]]) -> Geography:
    """A world in which only these IPv4 addresses are anywhere: the country and the autonomous system of each."""
    starts, countries, asns = [0], [0], [0]
    for address in sorted(places, key=IPv4Address):
        (country, asn), number = places[address], int(IPv4Address(address))
        starts += [number, number + 1]
        countries += [COUNTRIES.categories.to_list().index(country) + 1, 0]
        asns += [asn, 0]
    ipv4 = Steps(np.array(starts, np.uint32), np.array(countries, np.uint8), np.array(asns, np.uint32))
    ipv6 = Steps(np.zeros(1, "S16"), np.zeros(1, np.uint8), np.zeros(1, np.uint32))
    edges = np.arange(2**16 + 1, dtype=np.uint64) << np.uint64(16)
    return Geography(ipv4, ipv6, np.searchsorted(ipv4.starts, edges).astype(np.uint32))


def _assets_of(example: Example) -> pl.DataFrame:
    """The example's instances and public addresses as facts of the inventory."""
    facts = FactList().at(ACCOUNT_ID, REGION)
    for instance, tags in dict(example.instances).items():
        facts.add("instance", START, instance_uid=instance, details={"tags": dict(tags)})
    for address, account in dict(example.owners).items():
        facts.at(account, REGION).add("allocated", BEGINNING, public_ip=address, link_uid=f"eipalloc-{address}")
    return facts.frame()


def check_example(detector: Detector, example: Example) -> None:
    """Raises AssertionError where the detector does not do what the example says, and DetectorError where it fails."""
    findings = run_example(detector, example)
    if bool(findings) != example.fires:
        expected = "a finding" if example.fires else "none"
        raise AssertionError(f"{detector.finding_type}, {example.name!r}: expected {expected}, got {findings}")
    severities = {finding.severity for finding in findings}
    if example.severity is not None and example.severity not in severities:
        raise AssertionError(
            f"{detector.finding_type}, {example.name!r}: expected severity {example.severity}, got {severities}"
        )


def _completed(schema: EventSchema, row: Mapping[str, Any], index: int) -> dict[str, Any]:
    time = row.get("time", START + timedelta(seconds=index))
    known: dict[str, Any] = {
        "time": time,
        "cloud_account_uid": ACCOUNT_ID,
        "cloud_region": REGION,
        "is_late": False,
        **DEFAULTS[schema.name],
    }
    if "event_hash" in schema.polars:
        known["event_hash"] = index
    if "end_time" in schema.polars:
        known["end_time"] = time + timedelta(seconds=60)
    return {**known, **row}


def _all_new(hashes: np.ndarray, times: np.ndarray) -> np.ndarray:
    return np.ones(len(hashes), dtype=bool)


__all__ = ["DetectorError", "check_example", "findings_from", "frame_of", "run_example", "world_of"]
