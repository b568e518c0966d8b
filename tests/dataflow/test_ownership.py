"""A sighting that names no instance goes to the one that had its address at that time, however the input was cut."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
import pytest

from guardray.context.enrich import Surroundings
from guardray.dataflow.event_time import END_OF_TIME, microseconds
from guardray.dataflow.hits import INTERVALS
from guardray.dataflow.ingest import Ingest
from guardray.dataflow.report import findings_of
from guardray.dataflow.scan import Collected, Observer
from guardray.detectors.loader import load_detectors
from guardray.intel.store import IndicatorStore
from guardray.inventory import FACTS, facts_of
from guardray.schema import api_activity, dns_activity
from guardray.testing import START, frame_of

(DETECTOR,) = load_detectors(["Backdoor:EC2/C&CActivity.B!DNS"])
LISTS = Surroundings(IndicatorStore.of({"bad.example": "c2"}))
MINUTE = timedelta(minutes=1)
VPC, ADDRESS = "vpc-0a", "10.0.0.9"


def launched(instance: str, time: datetime) -> dict:
    interface = {
        "networkInterfaceId": f"eni-{instance[2:]}",
        "privateIpAddress": ADDRESS,
        "vpcId": VPC,
        "subnetId": "subnet-0a",
    }
    item = {
        "instanceId": instance,
        "privateIpAddress": ADDRESS,
        "vpcId": VPC,
        "subnetId": "subnet-0a",
        "networkInterfaceSet": {"items": [interface]},
    }
    return _call("RunInstances", time, {}, {"instancesSet": {"items": [item]}})


def terminated(instance: str, time: datetime) -> dict:
    items = {"instancesSet": {"items": [{"instanceId": instance}]}}
    return _call("TerminateInstances", time, items, items)


def _call(operation: str, time: datetime, request: dict, response: dict) -> dict:
    import json

    return {
        "time": time,
        "event_category": "Management",
        "api_service_name": "ec2.amazonaws.com",
        "api_operation": operation,
        "api_request_data": json.dumps(request),
        "api_response_data": json.dumps(response),
    }


def asked(time: datetime, **columns) -> dict:
    client = {"instance_uid": None, "vpc_uid": VPC, "src_endpoint_ip": ADDRESS}
    return {"time": time, "query_hostname": "bad.example", **client, **columns}


TRAIL = [launched("i-1", START), terminated("i-1", START + 20 * MINUTE), launched("i-2", START + 30 * MINUTE)]
QUERIES = [asked(START + 5 * MINUTE), asked(START + 6 * MINUTE), asked(START + 40 * MINUTE)]


def collected(*batches: pl.DataFrame, watermarks: dict[int, datetime] | None = None) -> Collected:
    """What is found when the batches come in this order; after batch `n` the watermark moves to `watermarks[n]`."""
    ingest = Ingest([DETECTOR], LISTS, lambda hashes, _: pl.repeat(True, len(hashes), eager=True).to_numpy())
    known = Collected(Observer(), FACTS.to_frame())
    for index, frame in enumerate(batches):
        schema = api_activity.SCHEMA if "api_operation" in frame.columns else dns_activity.SCHEMA
        ingest.on_batch(schema, frame)
        partials = ingest.drain()
        for assets in partials.assets:
            known.learn(assets)
        known.add(partials.sightings)
        if watermarks and index in watermarks:
            known.settle(microseconds(watermarks[index]))
    return known


def counts(known: Collected) -> dict[str, int]:
    return {sighting.key.entity: sighting.count for sighting in known.sightings()}


TRAIL_FRAME, QUERY_FRAME = frame_of(api_activity.SCHEMA, TRAIL), frame_of(dns_activity.SCHEMA, QUERIES)


@pytest.mark.parametrize("batches", [(TRAIL_FRAME, QUERY_FRAME), (QUERY_FRAME, TRAIL_FRAME)])
def test_an_address_that_a_second_instance_gets_later_is_each_ones_in_its_time(batches):
    assert counts(collected(*batches)) == {"i-1": 2, "i-2": 1}


def test_sightings_before_the_watermark_are_settled_with_what_is_known_then():
    early, late = QUERY_FRAME[:2], QUERY_FRAME[2:]
    known = collected(
        TRAIL_FRAME[:1], early, TRAIL_FRAME[1:], late, watermarks={1: START + 10 * MINUTE, 3: START + 60 * MINUTE}
    )
    assert counts(known) == {"i-1": 2, "i-2": 1}


def test_an_address_that_nothing_is_known_of_stands_for_itself():
    assert counts(collected(QUERY_FRAME)) == {f"{VPC}/{ADDRESS}": 3}


def test_an_address_between_two_instances_is_nobodys():
    between = frame_of(dns_activity.SCHEMA, [asked(START + 28 * MINUTE)])
    assert counts(collected(TRAIL_FRAME, between)) == {f"{VPC}/{ADDRESS}": 1}


def test_queries_of_an_instance_that_the_log_names_fold_with_those_that_it_does_not_name():
    named = frame_of(dns_activity.SCHEMA, [asked(START + 7 * MINUTE, instance_uid="i-1")])
    assert counts(collected(named, TRAIL_FRAME, QUERY_FRAME)) == {"i-1": 3, "i-2": 1}


def test_a_late_fact_teaches_nothing():
    late = frame_of(api_activity.SCHEMA, [row | {"is_late": True} for row in TRAIL])
    assert counts(collected(late, QUERY_FRAME)) == {f"{VPC}/{ADDRESS}": 3}


def test_rows_wait_no_longer_than_until_the_watermark():
    known = collected(TRAIL_FRAME, QUERY_FRAME)
    known.settle(microseconds(START + 10 * MINUTE))
    assert len(known._ownership._waiting) == 1
    known.settle(END_OF_TIME)
    assert not known._ownership._waiting


def test_the_finding_names_the_instance_with_its_subnet():
    known = collected(TRAIL_FRAME, QUERY_FRAME)
    findings, _ = findings_of(known.sightings(), {DETECTOR.finding_type: DETECTOR}, START, known.inventory)
    instances = {finding.resource.instance.instance_id: finding.resource.instance for finding in findings}
    assert set(instances) == {"i-1", "i-2"}
    assert instances["i-2"].interface.subnet_id == "subnet-0a"


def test_every_class_with_instances_says_how_fine_its_records_are():
    schemas = {d.schema.name for d in load_detectors() if "resource_uid" in d.entity}
    assert schemas <= set(INTERVALS)


def test_facts_of_the_test_trail_are_read():
    assert facts_of(TRAIL_FRAME).height >= 3
