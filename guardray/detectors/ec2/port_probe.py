"""Recon:EC2/PortProbeUnprotectedPort: a known scanner of the internet reached an open port of an instance.

A port is open where it answered, so our own records are looked at: with SYN-ACK or, where flags are not logged, longer
than a refusal. What was rejected, reset or left without an answer does not count, and neither do connections of ours.

Source: GuardDuty user guide, EC2 finding types.
"""

from __future__ import annotations

import polars as pl

from guardray.detectors.declare import IndicatorDetector, fires, quiet
from guardray.detectors.ec2.connections import IS_TCP, OURS, RESOURCE, flow, instance, source_of, target_of
from guardray.detectors.malicious_callers import threat_intelligence
from guardray.findings.actions import PortProbe
from guardray.findings.details import Details
from guardray.intel.categories import Category
from guardray.schema import network_activity
from guardray.types import Row

SYN_ACK = 18

REFUSAL_PACKETS = 2
"""A reset, or a reset for a SYN and for its repetition."""

SEARCH_PORTS = (9200, 9300)
"""Elasticsearch and OpenSearch, whose data anybody may read who reaches them: severity High."""

_ANSWERS = (pl.col("tcp_flags") & SYN_ACK == SYN_ACK).fill_null(pl.col("traffic_packets") > REFUSAL_PACKETS)

WAS_ANSWERED = IS_TCP & OURS & ~pl.col("is_request") & _ANSWERS & ~pl.col("is_rejected").fill_null(False)


def details(row: Row) -> Details:
    local, remote = source_of(row), target_of(row)
    who, port = row["resource_uid"], row["src_endpoint_port"]
    lists = ", ".join(sorted({indicator.list_name for indicator in row["indicators"]}))
    return Details(
        title=f"Port {port} of {who} is open and is being probed by {remote}.",
        description=f"Port {port} of {who} answered {remote}, which the threat list {lists} names as a scanner.",
        resource=instance(row, local),
        action=PortProbe(local_port=port, local_ip=str(local), remote_ip=str(remote)),
        severity=8.0 if port in SEARCH_PORTS else None,
        threat_intelligence=threat_intelligence(row),
    )


SCANNER: dict[str, Category] = {"198.51.100.7": "scanner"}
ELSEWHERE: dict[str, Category] = {"198.51.100.7": "c2"}

CALL = flow("198.51.100.7", "10.0.0.5", dst_endpoint_port=22, traffic_packets=3)
ANSWER = flow(src_endpoint_port=22, dst_endpoint_port=50000, tcp_flags=18, traffic_packets=3, traffic_bytes=180)
RESET = dict(ANSWER, tcp_flags=4, traffic_packets=1, traffic_bytes=40)
UNLOGGED = {"tcp_flags": None}

DETECTOR = IndicatorDetector(
    finding_type="Recon:EC2/PortProbeUnprotectedPort",
    severity=2.0,
    source="vpc-flow",
    schema=network_activity.SCHEMA,
    role="TARGET",
    entity=RESOURCE,
    where=WAS_ANSWERED,
    indicator=("dst_endpoint_ip_v4",),
    categories=("scanner",),
    details=details,
    examples=(
        fires("an open port answers a scanner", CALL, ANSWER, indicators=SCANNER, severity=2.0),
        fires("Elasticsearch answers", dict(ANSWER, src_endpoint_port=9200), indicators=SCANNER, severity=8.0),
        fires("flags are not logged", {**CALL, **UNLOGGED}, {**ANSWER, **UNLOGGED}, indicators=SCANNER),
        quiet("the port is closed", CALL, RESET, indicators=SCANNER),
        quiet("a refusal has no flags logged", {**CALL, **UNLOGGED}, {**RESET, **UNLOGGED}, indicators=SCANNER),
        quiet("nothing answers", CALL, indicators=SCANNER),
        quiet("the scanner is kept out", dict(CALL, is_rejected=True), indicators=SCANNER),
        quiet("we connect to the scanner", flow(tcp_flags=3, traffic_packets=9), indicators=SCANNER),
        quiet("the address is on no list", CALL, ANSWER),
        quiet("the address is on another kind of list", CALL, ANSWER, indicators=ELSEWHERE),
        quiet("the address is unknown", dict(ANSWER, dst_endpoint_ip_v4=None), indicators=SCANNER),
    ),
)
