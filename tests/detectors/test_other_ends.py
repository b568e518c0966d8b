"""Who is at the other end: what is trusted, private or AWS's own does not trip detectors that look at addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from ipaddress import IPv4Address
from itertools import cycle
from typing import Any

import pytest

from guardray.context.public_suffix import registered_domain
from guardray.detectors.declare import Detector, Example
from guardray.detectors.loader import load_detectors
from guardray.geo.geography import AWS_NETWORKS
from guardray.intel.categories import Category
from guardray.schema import EventSchema, dns_activity, network_activity
from guardray.schema.addresses import ipv4_text, is_public_number
from guardray.testing import run_example

Row = Mapping[str, Any]

ENDS = ("src_endpoint_ip_v4", "dst_endpoint_ip_v4")

INSIDE_COUNTS = {
    "Recon:EC2/Portscan",
    "UnauthorizedAccess:EC2/SSHBruteForce",
    "UnauthorizedAccess:EC2/RDPBruteForce",
    "Impact:EC2/WinRMBruteForce",
}
"""Scans and guesses among one's own hosts are how an intruder goes on; AWS's own tester does them there."""

QUIET_FOR_AWS = {
    "Backdoor:EC2/Spambot",
    "Behavior:EC2/NetworkPortUnusual",
    "Behavior:EC2/TrafficVolumeUnusual",
}
"""What is merely unusual. Floods, scans and guesses hit whoever is there, and lists name servers rented at AWS."""


def firing(schema: EventSchema, keep: Callable[[Detector, Example], bool] = lambda detector, example: True) -> Any:
    """Parametrises a test by detector and firing example."""
    pairs = [
        pytest.param(detector, example, id=f"{detector.finding_type} {example.name}")
        for detector in load_detectors()
        for example in detector.examples
        if detector.schema == schema and example.fires and keep(detector, example)
    ]
    return pytest.mark.parametrize(("detector", "example"), pairs)


def has_public_ends(detector: Detector, example: Example) -> bool:
    """Lists are about public addresses only."""
    return all(public_ends([row]) for row in example.rows)


def side_is_known(detector: Detector, example: Example) -> bool:
    """Between private addresses it takes the direction to tell whose side the log of guesses is of."""
    return detector.finding_type not in INSIDE_COUNTS or example.rows[0]["is_egress"] is not None


def category_of(example: Example) -> Category:
    """The kind of list that the example is about, or any."""
    return next(iter(dict(example.indicators).values()), "c2")


def public_ends(rows: Iterable[Row]) -> set[int]:
    return {row[end] for row in rows for end in ENDS if row.get(end) is not None and is_public_number(row[end])}


@firing(network_activity.SCHEMA, has_public_ends)
def test_a_trusted_address_is_quiet(detector: Detector, example: Example):
    ends = public_ends(example.rows)
    # Written as a network, so that it stands beside the example's own entry.
    trusted = {f"{ipv4_text(end)}/32": "trusted" for end in ends}
    assert run_example(detector, replace(example, indicators={**dict(example.indicators), **trusted})) == []


@firing(dns_activity.SCHEMA)
def test_a_trusted_domain_is_quiet(detector: Detector, example: Example):
    names = {row["query_hostname"] for row in example.rows}
    domains = {registered_domain(name) or name for name in names}
    # With its final dot, for the same reason.
    trusted = dict.fromkeys((f"{name}." for name in (*names, *domains, *(f"*.{one}" for one in domains))), "trusted")
    assert run_example(detector, replace(example, indicators={**dict(example.indicators), **trusted})) == []


@firing(network_activity.SCHEMA, side_is_known)
def test_a_private_address_is_quiet_but_for_scans_and_guesses(detector: Detector, example: Example):
    base = int(IPv4Address("10.200.0.0"))
    private = {end: base + end % 65536 for end in public_ends(example.rows)}
    rows = tuple({**row, **{end: private.get(row.get(end), row.get(end)) for end in ENDS}} for row in example.rows)
    own = replace(example, rows=rows, indicators={ipv4_text(end): category_of(example) for end in private.values()})
    assert bool(run_example(detector, own)) == (detector.finding_type in INSIDE_COUNTS)


@firing(network_activity.SCHEMA)
def test_an_address_of_aws_is_quiet_where_being_unusual_is_all(detector: Detector, example: Example):
    # Each in another of AWS's networks, since resolvers of one network count as one.
    ends = zip(sorted(public_ends(example.rows)), cycle(AWS_NETWORKS), strict=False)
    at_aws = replace(example, places={ipv4_text(end): ("US", network) for end, network in ends})
    assert bool(run_example(detector, at_aws)) == (detector.finding_type not in QUIET_FOR_AWS)
