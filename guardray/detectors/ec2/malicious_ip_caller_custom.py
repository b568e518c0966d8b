"""UnauthorizedAccess:EC2/MaliciousIPCaller.Custom: traffic between an instance and an address on a customer's list.

Either end may have begun. What the instance sends is looked at, so that an outsider's packet counts only once it is
answered: in a record with SYN-ACK, or where flags are not logged in one longer than a refusal. An attempt of ours
counts whatever came of it.

Source: GuardDuty user guide, EC2 finding types; severity Medium. AWS's own tester connects to a listed address where
nothing listens.
"""

from __future__ import annotations

import polars as pl

from guardray.detectors.declare import IndicatorDetector, fires, quiet
from guardray.detectors.ec2.connections import (
    IS_TCP,
    IS_UDP,
    OURS,
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

SYN_ACK = 18

REFUSAL_PACKETS = 2
"""A reset, or a reset for a SYN and for its repetition."""

_ANSWERS = (pl.col("tcp_flags") & SYN_ACK == SYN_ACK).fill_null(pl.col("traffic_packets") > REFUSAL_PACKETS)


def details(row: Row) -> Details:
    local, remote = source_of(row), target_of(row)
    is_outbound = bool(row["is_request"])
    lists = list_names(row)
    return Details(
        title=f"{row['resource_uid']} communicates with {remote}, which is on a threat list of yours.",
        description=f"{row['resource_uid']} exchanged traffic with {remote}, which is on the threat list {lists}.",
        resource=instance(row, local),
        action=connection(
            row,
            local,
            remote,
            direction="OUTBOUND" if is_outbound else "INBOUND",
            protocol=row["protocol_num"],
            blocked=bool(row["is_rejected"]),
        ),
        role="ACTOR" if is_outbound else "TARGET",
        additional_info={"threatListName": lists},
        threat_intelligence=threat_intelligence(row),
    )


LISTED: dict[str, Category] = {"198.51.100.7": "custom"}
ELSEWHERE: dict[str, Category] = {"198.51.100.7": "c2"}

CALL = flow("198.51.100.7", "10.0.0.5", dst_endpoint_port=22)
ANSWER = flow(src_endpoint_port=22, dst_endpoint_port=50000, tcp_flags=19, traffic_packets=9, traffic_bytes=2000)
REFUSAL = flow(src_endpoint_port=22, dst_endpoint_port=50000, tcp_flags=4, traffic_bytes=40)

DETECTOR = IndicatorDetector(
    finding_type="UnauthorizedAccess:EC2/MaliciousIPCaller.Custom",
    severity=5.0,
    source="vpc-flow",
    schema=network_activity.SCHEMA,
    role="TARGET",
    entity=RESOURCE,
    where=OURS & ((IS_TCP & (pl.col("is_request") | _ANSWERS)) | IS_UDP),
    indicator=("dst_endpoint_ip_v4",),
    categories=("custom",),
    details=details,
    examples=(
        fires(
            "an instance tries a listed address where nothing listens", flow(dst_endpoint_port=8009), indicators=LISTED
        ),
        fires("an instance answers a listed address", CALL, ANSWER, indicators=LISTED),
        fires("flags are not logged", dict(CALL, tcp_flags=None), dict(ANSWER, tcp_flags=None), indicators=LISTED),
        quiet("an instance refuses a listed address", CALL, REFUSAL, indicators=LISTED),
        quiet(
            "a refusal has no flags logged",
            dict(CALL, tcp_flags=None),
            dict(REFUSAL, tcp_flags=None),
            indicators=LISTED,
        ),
        quiet("a listed address is kept out", dict(CALL, is_rejected=True), indicators=LISTED),
        quiet("the address is on no list", flow()),
        quiet("the address is on another kind of list", flow(), indicators=ELSEWHERE),
        quiet("the address is unknown", flow(dst_endpoint_ip_v4=None), indicators=LISTED),
    ),
)
