"""Instances that speak to an address on a threat list, one finding type a category of lists.

Backdoor:EC2/C&CActivity.B, CryptoCurrency:EC2/BitcoinTool.B, Trojan:EC2/BlackholeTraffic, Trojan:EC2/DropPoint and
UnauthorizedAccess:EC2/TorClient. Our side must have asked: that an instance is scanned from a listed address, and
refuses or answers, is no sign of anything. An attempt of ours that was blocked or not answered counts.

Source: GuardDuty user guide, EC2 finding types.
"""

from __future__ import annotations

from dataclasses import dataclass

from guardray.detectors.declare import Example, IndicatorDetector, fires, quiet
from guardray.detectors.ec2.connections import (
    OUTBOUND,
    RESOURCE,
    connection,
    flow,
    instance,
    source_of,
    target_of,
)
from guardray.detectors.malicious_callers import list_names, threat_intelligence
from guardray.findings.details import Details
from guardray.intel.categories import Category
from guardray.schema import network_activity
from guardray.types import Row


@dataclass(frozen=True)
class Destination:
    """A finding type and the lists it looks at. `what` completes the sentence "… spoke to …"."""

    finding_type: str
    category: Category
    severity: float
    what: str


DESTINATIONS = (
    Destination("Backdoor:EC2/C&CActivity.B", "c2", 8.0, "a command-and-control server"),
    Destination("CryptoCurrency:EC2/BitcoinTool.B", "crypto", 8.0, "an address of cryptocurrency infrastructure"),
    Destination("Trojan:EC2/BlackholeTraffic", "blackhole", 5.0, "a black hole"),
    Destination("Trojan:EC2/DropPoint", "droppoint", 5.0, "a collection point for stolen data"),
    Destination("UnauthorizedAccess:EC2/TorClient", "tor-entry", 8.0, "an entry of the Tor network"),
)


def _details(destination: Destination, row: Row) -> Details:
    local, remote = source_of(row), target_of(row)
    who = row["resource_uid"]
    return Details(
        title=f"{who} speaks to {destination.what}, {remote}.",
        description=f"{who} sent traffic to port {remote.port} of {remote}, which the threat list {list_names(row)} "
        f"names as {destination.what}.",
        resource=instance(row, local),
        action=connection(row, local, remote, protocol=row["protocol_num"], blocked=bool(row["is_rejected"])),
        threat_intelligence=threat_intelligence(row),
    )


def _examples(category: Category) -> tuple[Example, ...]:
    listed: dict[str, Category] = {"198.51.100.7": category}
    other: dict[str, Category] = {"198.51.100.7": "scanner"}
    scan = flow("198.51.100.7", "10.0.0.5", dst_endpoint_port=22)
    refusal = flow(src_endpoint_port=22, dst_endpoint_port=50000, tcp_flags=4, traffic_bytes=40)
    answer = flow(src_endpoint_port=22, dst_endpoint_port=50000, tcp_flags=19, traffic_packets=9, traffic_bytes=2000)
    return (
        fires("an instance connects to a listed address", flow(), indicators=listed),
        fires("the network is listed", flow(), indicators={"198.51.100.0/24": category}),
        fires("the attempt is blocked", flow(is_rejected=True), indicators=listed),
        fires("flags and direction are not logged", flow(tcp_flags=None, is_egress=None), indicators=listed),
        quiet("the address is on no list", flow()),
        quiet("the address is on another kind of list", flow(), indicators=other),
        quiet("the listed address connects to the instance", scan, indicators=listed),
        quiet("the instance refuses the listed address", scan, refusal, indicators=listed),
        quiet("the instance answers the listed address", scan, answer, indicators=listed),
        quiet("the address is unknown", flow(dst_endpoint_ip_v4=None), indicators=listed),
    )


def _detector(destination: Destination) -> IndicatorDetector:
    return IndicatorDetector(
        finding_type=destination.finding_type,
        severity=destination.severity,
        source="vpc-flow",
        schema=network_activity.SCHEMA,
        role="ACTOR",
        entity=RESOURCE,
        where=OUTBOUND,
        indicator=("dst_endpoint_ip_v4",),
        categories=(destination.category,),
        details=lambda row: _details(destination, row),
        examples=_examples(destination.category),
    )


DETECTORS = tuple(map(_detector, DESTINATIONS))
