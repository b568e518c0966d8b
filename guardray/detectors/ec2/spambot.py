"""Backdoor:EC2/Spambot: an instance that never sent mail connects to the mail servers of many others.

Port 25 alone is looked at, which servers hand mail to each other on. On 465 and 587 a program logs in at its own
provider, whose many addresses look like many servers; a bot with stolen log-ins there is at most an unusual port. AWS
closes port 25 to most instances, so an attempt counts as much as a connection. AWS's own mail servers do not count. An
instance that has sent mail before is a relay, and what it sends then is not judged.

Source: GuardDuty user guide, EC2 finding types: severity Medium; only instances without a history of port 25. Ports:
RFC 6409 and RFC 8314.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from guardray.detectors.declare import ActivityDetector, fires, on_earlier_days, quiet
from guardray.detectors.ec2.connections import RESOURCE, connection, flow
from guardray.detectors.ec2.outbound import (
    ACTIVITY,
    IS_LEARNED,
    LEARNED_DAYS,
    OUTSIDE_AWS,
    OWNER,
    SMTP,
    local_end,
    remote_end,
    sender,
)
from guardray.findings.details import Details
from guardray.schema import network_activity
from guardray.types import Row

SERVERS = 20
"""In a day. A host's own notices go to the servers of a few domains, each of which has up to five addresses, and a
smarthost is one or two. A bot reaches hundreds."""

_IS_MAIL = (pl.col("remote_port") == SMTP) & OUTSIDE_AWS
_SERVERS = _IS_MAIL.sum().over("window_start", *OWNER)


def details(row: Row) -> Details:
    who, remote = row["resource_uid"], remote_end(row)
    return Details(
        title=f"{who} may be sending spam.",
        description=f"{who} connected to port {SMTP} of at least {1 + len(row['others'])} mail servers within a day, "
        f"{remote} among them, and to none on {row['port_history']} earlier days.",
        resource=sender(row),
        action=connection(row, local_end(row), remote),
    )


SESSION: dict[str, Any] = {"tcp_flags": 3, "traffic_packets": 12, "traffic_bytes": 2400}
WEB = flow(src_endpoint_port=50016, **SESSION)
A_WEEK = on_earlier_days(LEARNED_DAYS, WEB)


def _mail(servers: int, port: int = SMTP, **columns: Any) -> list[dict[str, Any]]:
    return [
        {**flow(target=f"203.0.113.{host}", dst_endpoint_port=port), **SESSION, **columns}
        for host in range(1, servers + 1)
    ]


_ATTEMPT = {"tcp_flags": 2, "traffic_packets": 3, "traffic_bytes": 180}

DETECTOR = ActivityDetector(
    finding_type="Backdoor:EC2/Spambot",
    severity=5.0,
    source="vpc-flow",
    schema=network_activity.SCHEMA,
    role="ACTOR",
    entity=RESOURCE,
    activity=ACTIVITY,
    crossed=IS_LEARNED & _IS_MAIL & (pl.col("port_days") == 0) & (_SERVERS >= SERVERS),
    together=RESOURCE,
    score=pl.col("bytes"),
    learning="before",
    details=details,
    tunables={"learned_days": LEARNED_DAYS, "servers": SERVERS},
    examples=(
        fires("a web client connects to 40 mail servers", *A_WEEK, *_mail(40), severity=5.0),
        fires("the connections are dropped on their way", *A_WEEK, *_mail(40, **_ATTEMPT)),
        fires(
            "flags and direction are not logged",
            *on_earlier_days(LEARNED_DAYS, dict(WEB, tcp_flags=None, is_egress=None)),
            *_mail(40, tcp_flags=None, is_egress=None),
        ),
        quiet("nothing is known of the instance", *_mail(40)),
        quiet("little is known of the instance", *on_earlier_days(LEARNED_DAYS - 1, WEB), *_mail(40)),
        quiet("the instance is a relay", *A_WEEK, *on_earlier_days(3, *_mail(5)), *_mail(40)),
        quiet("it sends notices to a few domains", *A_WEEK, *_mail(10)),
        quiet("all goes to one relay", *A_WEEK, *(_mail(1) * 40)),
        quiet(
            "most servers are AWS's own",
            *A_WEEK,
            *_mail(40),
            places={f"203.0.113.{host}": ("US", 16509) for host in range(1, 30)},
        ),
        quiet("it submits mail to its provider", *A_WEEK, *_mail(40, port=587)),
        quiet(
            "the servers are our own", *A_WEEK, *(flow(target=f"10.0.1.{n}", dst_endpoint_port=25) for n in range(40))
        ),
        quiet(
            "it is a mail server that others ask",
            *A_WEEK,
            *(flow(f"203.0.113.{n}", "10.0.0.5", dst_endpoint_port=25, **SESSION) for n in range(40)),
        ),
        quiet("the servers are unknown", *A_WEEK, *_mail(40, dst_endpoint_ip_v4=None)),
    ),
)
