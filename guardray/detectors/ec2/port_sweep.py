"""Impact:EC2/PortSweep: an instance probes one port of many public addresses.

Crawlers, mail relays and resolvers also speak to very many addresses on one port, and always find some dead. What they
do not do is get no answer from most. So connections count by their record, and most of them must have come to nothing.
In logs without flags an idle connection looks like such a record, again and again from the same addresses, which a
sweep visits once or twice.

Source: GuardDuty user guide, EC2 finding types; severity High. Only public addresses count there.
"""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from guardray.detectors.declare import WindowDetector, fires, quiet
from guardray.detectors.ec2.connections import IS_TCP, OURS, RESOURCE, End, connection, flow, instance
from guardray.findings.details import Details
from guardray.schema import network_activity
from guardray.stats.measures import Count, Distinct, Latest, Sum
from guardray.types import Row

TARGETS = 50
"""Slow worms do 60 to 70 addresses of a port in an hour. In the captures of hosts that did not sweep, no port had more
than 13 unanswered addresses in an hour."""

UNANSWERED = 0.6
"""Share of connections that came to nothing: 1.0 in sweeps, at most 0.1 in a busy browser network and 0.5 in a server's
updates and look-ups."""

VISITS = 4
"""Records an address, at most: a probe, its repetition, and either cut at the end of an aggregation interval."""

MANY_TARGETS = 500
"""From here on the estimate of distinct addresses is too coarse to count visits by, and nothing but a sweep is left."""

WINDOW = timedelta(hours=1)
HOP = WINDOW / 2

_TARGETS, _CONNECTIONS = pl.col("targets"), pl.col("connections")


def details(row: Row) -> Details:
    who, local = row["resource_uid"], End(row["src_endpoint_ip_v4"])
    remote = End(row["last_target"], row["dst_endpoint_port"])
    return Details(
        title=f"{who} is probing port {remote.port} of many public addresses.",
        description=f"{who} tried port {remote.port} of about {row['targets']} public addresses within an "
        f"hour; {row['probes']} of {row['connections']} attempts had no answer. The latest was {remote}.",
        resource=instance(row, local),
        action=connection(row, local, remote),
    )


def _sweep(count: int, **columns: object) -> list[dict[str, object]]:
    return [{**flow(target=f"198.51.100.{host}", dst_endpoint_port=23), **columns} for host in range(1, count + 1)]


_ANSWERED = {"traffic_packets": 8, "traffic_bytes": 900, "tcp_flags": 3}

DETECTOR = WindowDetector(
    finding_type="Impact:EC2/PortSweep",
    severity=8.0,
    source="vpc-flow",
    schema=network_activity.SCHEMA,
    role="ACTOR",
    entity=RESOURCE,
    where=IS_TCP & pl.col("is_request") & pl.col("dst_is_public") & OURS,
    key=("src_endpoint_ip_v4", "dst_endpoint_port"),
    window=WINDOW,
    hop=HOP,
    measures={
        "targets": Distinct("dst_endpoint_ip_v4"),
        "connections": Count(),
        "probes": Sum("is_probe"),
        "last_target": Latest("dst_endpoint_ip_v4"),
    },
    crossed=pl.col("is_actor")
    & (_TARGETS >= TARGETS)
    & (pl.col("probes") >= UNANSWERED * _CONNECTIONS)
    & ((_CONNECTIONS <= VISITS * _TARGETS) | (_TARGETS >= MANY_TARGETS)),
    details=details,
    tunables={"targets": TARGETS, "unanswered": UNANSWERED, "visits": VISITS},
    examples=(
        fires("an instance probes telnet on 80 addresses", *_sweep(80), severity=8.0),
        fires("flags and direction are not logged", *_sweep(80, tcp_flags=None, is_egress=None)),
        fires("a few of the addresses answer", *_sweep(80), *_sweep(20, **_ANSWERED)),
        quiet("it probes 30 addresses", *_sweep(30)),
        quiet("a crawler is answered by most", *_sweep(80, **_ANSWERED), *_sweep(30)),
        quiet("idle connections are kept alive", *_sweep(60, tcp_flags=None) * 6),
        quiet("it is probed itself", *(flow(f"198.51.100.{host}", "10.0.0.5") for host in range(1, 81))),
        quiet("the addresses are private", *(flow(target=f"10.0.1.{host}") for host in range(1, 81))),
        quiet("the addresses are unknown", *_sweep(80, dst_endpoint_ip_v4=None)),
    ),
)
