"""Public DNS resolvers that an instance did not use before, one finding type a protocol.

DefenseEvasion:EC2/UnusualDNSResolver, .../UnusualDoHActivity and .../UnusualDoTActivity. Whoever asks a resolver
elsewhere, and not that of the VPC, leaves no query log. Which addresses are public resolvers is the matter of a list.
A resolver is known by its address or, where only DNS is spoken, by the network that it is in, so that an operator's
second address is no news; on the port of HTTPS these networks serve half of the web. Look-ups by hand are too few.

Source: GuardDuty user guide, EC2 finding types: severity Medium; resolvers that were used recently do not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from guardray.detectors.declare import ActivityDetector, Example, fires, on_earlier_days, quiet
from guardray.detectors.ec2.connections import RESOURCE, TCP, UDP, connection, flow
from guardray.detectors.ec2.outbound import (
    ACTIVITY,
    DNS,
    DNS_OVER_TLS,
    HTTPS,
    IS_LEARNED,
    LEARNED_DAYS,
    local_end,
    remote_end,
    sender,
)
from guardray.findings.details import Details
from guardray.geo import shipped
from guardray.intel.categories import Category, has
from guardray.schema import network_activity
from guardray.types import Row

PACKETS = 5
"""To one resolver in a day. A look-up by hand, to see whether the VPC's resolver is to blame, is two to four. Each
connection that is encrypted has more before its first query."""


@dataclass(frozen=True)
class Protocol:
    """A way to ask a resolver. `what` completes the sentence "… speaks …"."""

    finding_type: str
    port: int
    what: str
    network_is_known: bool


PROTOCOLS = (
    Protocol("DefenseEvasion:EC2/UnusualDNSResolver", DNS, "DNS", network_is_known=True),
    Protocol("DefenseEvasion:EC2/UnusualDoHActivity", HTTPS, "DNS over HTTPS", network_is_known=False),
    Protocol("DefenseEvasion:EC2/UnusualDoTActivity", DNS_OVER_TLS, "DNS over TLS", network_is_known=True),
)


def _crossed(protocol: Protocol) -> pl.Expr:
    is_new = pl.col("server_days") == 0
    if protocol.network_is_known:
        is_new &= (pl.col("network_days") == 0).fill_null(True)
    is_resolver = has("dst_endpoint_indicators", "public-resolver") & (pl.col("remote_port") == protocol.port)
    return IS_LEARNED & is_resolver & is_new & (pl.col("packets") >= PACKETS)


def _details(protocol: Protocol, row: Row) -> Details:
    who, remote, asn = row["resource_uid"], remote_end(row), row["remote_autonomous_system_number"]
    owner = None if asn is None else shipped.organisations().get(asn)
    network = {} if owner is None else {"asnOrg": owner}
    return Details(
        title=f"{who} speaks {protocol.what} to the public resolver {remote}.",
        description=f"{who} sent {row['packets']:,} packets to port {remote.port} of {remote}, a public resolver"
        f"{'' if owner is None else f' of {owner}'} that it used on none of {row['server_history']} earlier days.",
        resource=sender(row),
        action=connection(row, local_end(row), remote, protocol=row["protocol_num"]),
        additional_info={"unusual": {**network, "port": remote.port}},
    )


RESOLVER, SECOND = "203.0.113.53", "203.0.113.54"
LISTED: dict[str, Category] = {RESOLVER: "public-resolver", SECOND: "public-resolver"}
NETWORK = {RESOLVER: ("NL", 64500), SECOND: ("NL", 64500)}
ELSEWHERE: dict[str, Category] = {RESOLVER: "scanner"}


def _asks(protocol: Protocol, target: str = RESOLVER, packets: int = 12, **columns: Any) -> dict[str, Any]:
    shape = (
        {"protocol_num": UDP, "tcp_flags": None, "traffic_bytes": 70 * packets}
        if protocol.port == DNS
        else {"protocol_num": TCP, "tcp_flags": 3, "traffic_bytes": 150 * packets}
    )
    return {**flow(target=target, dst_endpoint_port=protocol.port), "traffic_packets": packets, **shape, **columns}


def _examples(protocol: Protocol) -> tuple[Example, ...]:
    web = flow(src_endpoint_port=50016, tcp_flags=3, traffic_packets=12, traffic_bytes=2400)
    week = on_earlier_days(LEARNED_DAYS, web)
    other = DNS_OVER_TLS if protocol.port != DNS_OVER_TLS else DNS
    second = quiet if protocol.network_is_known else fires
    return (
        fires("an instance begins to use a public resolver", *week, _asks(protocol), indicators=LISTED, severity=5.0),
        fires(
            "flags and direction are not logged",
            *(dict(row, tcp_flags=None, is_egress=None) for row in (*week, _asks(protocol))),
            indicators=LISTED,
        ),
        fires(
            "it used another resolver before",
            *week,
            *on_earlier_days(8, _asks(protocol, "198.51.100.9")),
            _asks(protocol),
            indicators=LISTED | {"198.51.100.9": "public-resolver"},
        ),
        second(
            "it used another address of the operator before",
            *week,
            *on_earlier_days(8, _asks(protocol, SECOND)),
            _asks(protocol),
            indicators=LISTED,
            places=NETWORK,
        ),
        quiet("nothing is known of the instance", _asks(protocol), indicators=LISTED),
        quiet("it always used the resolver", *on_earlier_days(8, _asks(protocol)), _asks(protocol), indicators=LISTED),
        quiet(
            "it used the resolver lately",
            *week,
            *on_earlier_days(2, _asks(protocol)),
            _asks(protocol),
            indicators=LISTED,
        ),
        quiet("somebody looks up a name by hand", *week, _asks(protocol, packets=2), indicators=LISTED),
        quiet("the queries are kept in", *week, _asks(protocol, is_rejected=True), indicators=LISTED),
        quiet("it speaks another protocol to it", *week, _asks(protocol, dst_endpoint_port=other), indicators=LISTED),
        quiet("the address is on no list", *week, _asks(protocol)),
        quiet("the address is on another kind of list", *week, _asks(protocol), indicators=ELSEWHERE),
        quiet("the resolver is our own", *week, _asks(protocol, "10.0.0.2"), indicators=LISTED),
        quiet("the address is unknown", *week, _asks(protocol, dst_endpoint_ip_v4=None), indicators=LISTED),
    )


def _detector(protocol: Protocol) -> ActivityDetector:
    return ActivityDetector(
        finding_type=protocol.finding_type,
        severity=5.0,
        source="vpc-flow",
        schema=network_activity.SCHEMA,
        role="ACTOR",
        entity=RESOURCE,
        activity=ACTIVITY,
        crossed=_crossed(protocol),
        together=RESOURCE,
        score=pl.col("packets"),
        learning="before",
        categories=("public-resolver",),
        details=lambda row: _details(protocol, row),
        tunables={"learned_days": LEARNED_DAYS, "packets": PACKETS},
        examples=_examples(protocol),
    )


DETECTORS = tuple(map(_detector, PROTOCOLS))
