"""UnauthorizedAccess:EC2/TorRelay: an instance deals with many relays of the Tor network, in both directions.

A client of Tor asks a few entries and nobody asks it; a relay asks others and is asked by them, all day. So distinct
listed relays are counted that asked the instance and that it asked, connections that came to nothing left out. That the
instance's own public address is in the list of relays would say the same, but flow logs do not tell that address.

Source: GuardDuty user guide, EC2 finding types; severity High. The guide says only that the manner of the traffic
suggests a relay, so the thresholds are ours.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl

from guardray.detectors.declare import Example, WindowDetector, fires, quiet
from guardray.detectors.ec2.connections import IS_TCP, RESOURCE, End, connection, flow, instance
from guardray.findings.details import Details
from guardray.intel.categories import Category
from guardray.intel.store import has
from guardray.schema import network_activity
from guardray.stats.measures import Distinct, Latest
from guardray.types import Row

RELAYS_ASKED = 10
"""A client keeps to two or three entries and replaces few of them in an hour; a relay extends circuits to hundreds."""

RELAYS_ASKING = 10
"""Relays that scan, since somebody misuses their exits, are few in an hour; a relay in use is asked by hundreds."""

WINDOW = timedelta(hours=1)

_OWN_ADDRESS = 1
"""Among the distinct sources is the instance's own address where it asked, among the targets where it was asked."""

_LISTED = has("src_endpoint_indicators", "tor-relay") | has("dst_endpoint_indicators", "tor-relay")
_CAME_TO_SOMETHING = (pl.col("is_probe") == 0) & ~pl.col("is_rejected").fill_null(False)


def details(row: Row) -> Details:
    who, local = row["resource_uid"], End(row["local_ip_v4"])
    asked, asking = row["targets"] - _OWN_ADDRESS, row["sources"] - _OWN_ADDRESS
    remote = End(row["last_relay"], row["last_port"])
    return Details(
        title=f"{who} behaves as a relay of the Tor network.",
        description=f"Within an hour {who} connected to about {asked} relays of the Tor network and about {asking} "
        f"connected to it. The latest was {remote}.",
        resource=instance(row, local),
        action=connection(row, local, remote, direction="UNKNOWN"),
    )


RELAYS: dict[str, Category] = {"198.51.100.0/24": "tor-relay"}
ELSEWHERE: dict[str, Category] = {"198.51.100.0/24": "tor-entry"}


def _asked(count: int, **columns: object) -> list[dict[str, object]]:
    exchange: dict[str, Any] = {"dst_endpoint_port": 9001, "tcp_flags": 3, "traffic_packets": 9, "traffic_bytes": 4000}
    return [dict(flow(target=f"198.51.100.{host}", **exchange), **columns) for host in range(1, count + 1)]


def _asking(count: int, **columns: object) -> list[dict[str, object]]:
    exchange: dict[str, Any] = {"dst_endpoint_port": 9001, "tcp_flags": 3, "traffic_packets": 9, "traffic_bytes": 4000}
    return [dict(flow(f"198.51.100.{host}", "10.0.0.5", **exchange), **columns) for host in range(1, count + 1)]


def _examples() -> tuple[Example, ...]:
    refused = {"tcp_flags": 2, "traffic_packets": 1, "traffic_bytes": 60}
    return (
        fires("relays ask an instance and it asks relays", *_asked(20), *_asking(20), indicators=RELAYS, severity=8.0),
        fires("flags are not logged", *_asked(20, tcp_flags=None), *_asking(20, tcp_flags=None), indicators=RELAYS),
        quiet("it only asks, as a client does", *_asked(40), indicators=RELAYS),
        quiet("it is only asked, as a web server is", *_asking(40), indicators=RELAYS),
        quiet("it asks a few relays", *_asked(4), *_asking(20), indicators=RELAYS),
        quiet("relays that ask are rejected", *_asked(20), *_asking(20, is_rejected=True), indicators=RELAYS),
        quiet("relays that ask get no answer", *_asked(20), *_asking(20, **refused), indicators=RELAYS),
        quiet("the addresses are on no list", *_asked(20), *_asking(20)),
        quiet("the addresses are on another kind of list", *_asked(20), *_asking(20), indicators=ELSEWHERE),
    )


DETECTOR = WindowDetector(
    finding_type="UnauthorizedAccess:EC2/TorRelay",
    severity=8.0,
    source="vpc-flow",
    schema=network_activity.SCHEMA,
    role="ACTOR",
    entity=RESOURCE,
    where=IS_TCP & pl.col("is_request") & _CAME_TO_SOMETHING & _LISTED,
    key=("local_ip_v4",),
    window=WINDOW,
    measures={
        "targets": Distinct("dst_endpoint_ip_v4"),
        "sources": Distinct("src_endpoint_ip_v4"),
        "last_relay": Latest("remote_ip_v4"),
        "last_port": Latest("remote_port"),
    },
    crossed=(pl.col("targets") >= RELAYS_ASKED + _OWN_ADDRESS) & (pl.col("sources") >= RELAYS_ASKING + _OWN_ADDRESS),
    categories=("tor-relay",),
    details=details,
    tunables={"relays_asked": RELAYS_ASKED, "relays_asking": RELAYS_ASKING},
    examples=_examples(),
)
