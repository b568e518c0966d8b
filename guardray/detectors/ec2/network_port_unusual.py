"""Behavior:EC2/NetworkPortUnusual: an instance connects to a server port that it never used before.

The port must be new to the instance, on a public address, and the connection must have come about: probes are the
matter of other finding types. A packet with payload is enough, as in ten minutes of a channel that hardly says
anything. FTP's data ports are whatever the server names, and so say nothing. A deployment that
begins to use another port of a partner is told of once; which ports other instances use is not looked at, so that a
port that is common among an account's build hosts is still unusual for its database. A model, where there is one, says
how unusual it is; the rule decides, since among what models see new ports are nothing rare.

Source: GuardDuty user guide, EC2 finding types: severity Medium, and a port is unusual for the instance's own history.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from guardray.detectors.contributions import model_info, model_sentence
from guardray.detectors.declare import ActivityDetector, fires, on_earlier_days, quiet
from guardray.detectors.ec2.connections import RESOURCE, UDP, connection, flow
from guardray.detectors.ec2.outbound import (
    ACTIVITY,
    IS_LEARNED,
    LEARNED_DAYS,
    OUTSIDE_AWS,
    OWNER,
    USUAL_PORTS,
    local_end,
    remote_end,
    sender,
)
from guardray.detectors.ec2.unusual_traffic import SPEC
from guardray.findings.details import Details
from guardray.schema import network_activity
from guardray.types import Row

FTP = 21

_PORT = pl.col("remote_port")
_SPEAKS_FTP = (_PORT == FTP).any().over("window_start", *OWNER, "remote_ip_v4")


def details(row: Row) -> Details:
    who, remote = row["resource_uid"], remote_end(row)
    ports = {remote.port} | {other["remote_port"] for other in row["others"]}
    more = f" Other ports that are new to it: {_listed(ports - {remote.port})}." if len(ports) > 1 else ""
    return Details(
        title=f"{who} connects to the unusual server port {remote.port}.",
        description=f"{who} sent {row['bytes']:,} bytes to port {remote.port} of {remote}, a port that it used on none "
        f"of {row['port_history']} earlier days.{more} {model_sentence(row, SPEC)}".rstrip(),
        resource=sender(row),
        action=connection(row, local_end(row), remote),
        additional_info={"unusual": {"port": remote.port}} | model_info(row, SPEC),
    )


def _listed(ports: set[int | None]) -> str:
    return ", ".join(str(port) for port in sorted(port for port in ports if port is not None))


SESSION: dict[str, Any] = {"tcp_flags": 3, "traffic_packets": 12, "traffic_bytes": 2400}
WEB = flow(src_endpoint_port=50016, **SESSION)
SAMPLED = on_earlier_days(LEARNED_DAYS, WEB)
"""A week of connections to the web, of the kind that is kept for knowing the instance's days."""

TO_4444 = flow(target="203.0.113.9", dst_endpoint_port=4444, **SESSION)

DETECTOR = ActivityDetector(
    finding_type="Behavior:EC2/NetworkPortUnusual",
    severity=5.0,
    source="vpc-flow",
    schema=network_activity.SCHEMA,
    role="ACTOR",
    entity=RESOURCE,
    activity=ACTIVITY,
    crossed=IS_LEARNED
    & OUTSIDE_AWS
    & ~_PORT.is_in(USUAL_PORTS)
    & (pl.col("port_days") == 0)
    & (~_SPEAKS_FTP | (_PORT == FTP)),
    together=RESOURCE,
    score=pl.col("bytes"),
    learning="before",
    spec=SPEC,
    details=details,
    tunables={"learned_days": LEARNED_DAYS},
    examples=(
        fires("a web client opens a session on port 4444", *SAMPLED, TO_4444, severity=5.0),
        fires(
            "a channel is idle but for a packet now and then",
            *SAMPLED,
            *(dict(TO_4444, traffic_packets=1, traffic_bytes=540, tcp_flags=None) for _ in range(4)),
        ),
        fires(
            "flags and direction are not logged",
            *on_earlier_days(LEARNED_DAYS, dict(WEB, tcp_flags=None, is_egress=None)),
            dict(TO_4444, tcp_flags=None, is_egress=None),
        ),
        fires("other unusual ports are known", *on_earlier_days(8, dict(TO_4444, dst_endpoint_port=8443)), TO_4444),
        quiet("little is known of the instance", *on_earlier_days(LEARNED_DAYS - 1, WEB), TO_4444),
        quiet("nothing is known of the instance", TO_4444),
        quiet("the port was used once before", *SAMPLED, *on_earlier_days(3, TO_4444)[:1], TO_4444),
        quiet("the port is the web's", *SAMPLED, dict(TO_4444, dst_endpoint_port=80)),
        quiet(
            "nothing comes of the attempts", *SAMPLED, dict(TO_4444, tcp_flags=2, traffic_packets=7, traffic_bytes=420)
        ),
        quiet("a packet has no payload", *SAMPLED, dict(TO_4444, tcp_flags=None, traffic_packets=1, traffic_bytes=52)),
        quiet("the server is our own", *SAMPLED, flow(target="10.0.3.9", dst_endpoint_port=4444, **SESSION)),
        quiet(
            "a service of ours answers",
            *SAMPLED,
            flow(src_endpoint_port=8443, dst_endpoint_port=4444, **{**SESSION, "tcp_flags": None}),
        ),
        quiet(
            "the port is an FTP server's data port",
            *on_earlier_days(LEARNED_DAYS, dict(TO_4444, dst_endpoint_port=FTP)),
            dict(TO_4444, dst_endpoint_port=FTP),
            dict(TO_4444, dst_endpoint_port=30111),
        ),
        quiet("the server is AWS's", *SAMPLED, TO_4444, places={"203.0.113.9": ("US", 16509)}),
        quiet("it is UDP", *SAMPLED, dict(TO_4444, protocol_num=UDP, tcp_flags=None)),
        quiet("the port is unknown", *SAMPLED, dict(TO_4444, dst_endpoint_port=None)),
    ),
)
