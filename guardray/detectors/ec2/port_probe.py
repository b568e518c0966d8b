"""A known scanner reached an open port: Recon:EC2/PortProbeUnprotectedPort and Recon:EC2/PortProbeEMRUnprotectedPort.

The port answered, so that no security group, network ACL or host firewall closes it. That shows in our SYN-ACK back to
the scanner; where flags are not logged, in a request of more packets than a refused one has. What was rejected, reset
or left without an answer is no exposure. The EMR type needs an inventory, which knows the instance's cluster.

Source: GuardDuty user guide, EC2 finding types: severity Low, High on ports 9200 and 9300, and for EMR; port 8088 is
its example of an EMR port.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from guardray.context.flow_columns import PROBE_PACKETS
from guardray.detectors.declare import Example, IndicatorDetector, fires, quiet
from guardray.detectors.ec2.connections import IS_TCP, OURS, RESOURCE, End, flow, instance, source_of, target_of
from guardray.detectors.malicious_callers import list_names, threat_intelligence
from guardray.findings.actions import PortProbe
from guardray.findings.details import Details
from guardray.findings.network_names import port_name
from guardray.findings.resources import Resource
from guardray.intel.categories import Category
from guardray.schema import network_activity
from guardray.types import Row

SYN_ACK = 18

DATABASE_PORTS = (9200, 9300)
"""Elasticsearch and OpenSearch, which give everything away when open."""

EMR_PORTS = (8088,)
"""YARN's resource manager, which runs what it is given."""

EMR_TAG = "aws:elasticmapreduce:"
"""Begins the tags that EMR puts on its instances. Source: EMR management guide, tagging."""

EMR_GROUP = "ElasticMapReduce-"
"""Begins the names of the security groups that EMR makes. Source: EMR management guide, security groups."""

_FLAGS = pl.col("tcp_flags").fill_null(0)

_ANSWER = OURS & (_FLAGS & SYN_ACK == SYN_ACK)
"""Our side of the handshake: only who is asked sends SYN and ACK together."""

_LONG_REQUEST = ~OURS & (_FLAGS == 0) & pl.col("is_request") & (pl.col("traffic_packets") > PROBE_PACKETS)
"""More than a SYN and its repetition, so that the handshake was completed."""

PROBED = IS_TCP & ~pl.col("is_rejected") & (_ANSWER | _LONG_REQUEST)

_LOCAL_PORT = pl.when(OURS).then("src_endpoint_port").otherwise("dst_endpoint_port")


def ends(row: Row) -> tuple[End, End]:
    """Our end and the scanner's. Only an answer has our end as its source."""
    is_answer = (row["tcp_flags"] or 0) & SYN_ACK == SYN_ACK
    return (source_of(row), target_of(row)) if is_answer else (target_of(row), source_of(row))


def details(row: Row) -> Details:
    local, scanner = ends(row)
    who, port = row["resource_uid"], local.port or 0
    return Details(
        title=f"The open port {port} of {who} is being probed.",
        description=f"{who} answered {scanner}, a scanner by the threat list {list_names(row)}, on port {port} "
        f"({port_name(port)}).",
        resource=instance(row, local),
        action=PortProbe(local_port=port, local_ip=str(local), remote_ip=str(scanner)),
        severity=8.0 if port in DATABASE_PORTS else None,
        threat_intelligence=threat_intelligence(row),
    )


def is_of_emr(resource: Resource) -> bool:
    """Whether the instance belongs to an EMR cluster, as far as the inventory tells."""
    known = resource.instance
    if known is None:
        return False
    is_tagged = any(key.startswith(EMR_TAG) for key, _ in known.tags)
    return is_tagged or any((group.name or "").startswith(EMR_GROUP) for group in known.security_groups)


def probe(port: int, **columns: Any) -> dict[str, Any]:
    """A scanner's SYN to a port of ours, for examples."""
    return dict(flow("198.51.100.7", "10.0.0.5", src_endpoint_port=50000, dst_endpoint_port=port, **columns))


def answer(port: int, **columns: Any) -> dict[str, Any]:
    """Our SYN-ACK to the scanner, for examples."""
    return dict(flow(src_endpoint_port=port, dst_endpoint_port=50000, **{"tcp_flags": SYN_ACK, **columns}))


INSTANCE = "i-0123456789abcdef0"
LISTED: dict[str, Category] = {"198.51.100.7": "scanner"}
ELSEWHERE: dict[str, Category] = {"198.51.100.7": "c2"}
SHORT = {"tcp_flags": None, "is_egress": None}
LONG = SHORT | {"traffic_packets": 6, "traffic_bytes": 600}

EXAMPLES = (
    fires("a scanner is answered", probe(22), answer(22), indicators=LISTED, severity=2.0),
    fires("the port is a database's", probe(9200), answer(9200), indicators=LISTED, severity=8.0),
    fires("the scanner's network is listed", answer(22), indicators={"198.51.100.0/24": "scanner"}),
    fires("flags are not logged and the connection lasts", probe(22, **LONG), indicators=LISTED),
    quiet("nothing answers", probe(22), indicators=LISTED),
    quiet("the probe is rejected", probe(22, is_rejected=True), indicators=LISTED),
    quiet("a reset answers", probe(22), answer(22, tcp_flags=4), indicators=LISTED),
    quiet("flags are not logged and the request is short", probe(22, **SHORT), indicators=LISTED),
    quiet("we ask and the scanner answers", flow(), flow("198.51.100.7", "10.0.0.5", tcp_flags=18), indicators=LISTED),
    quiet("the address is on no list", probe(22), answer(22)),
    quiet("the address is on another kind of list", probe(22), answer(22), indicators=ELSEWHERE),
    quiet("the address is unknown", answer(22, dst_endpoint_ip_v4=None), indicators=LISTED),
)


def detector(
    finding_type: str,
    severity: float,
    where: pl.Expr,
    examples: tuple[Example, ...],
    concerns: Callable[[Resource], bool] | None = None,
) -> IndicatorDetector:
    return IndicatorDetector(
        finding_type=finding_type,
        severity=severity,
        source="vpc-flow",
        schema=network_activity.SCHEMA,
        role="TARGET",
        entity=RESOURCE,
        where=where,
        indicator=("src_endpoint_ip_v4", "dst_endpoint_ip_v4"),
        categories=("scanner",),
        details=details,
        examples=examples,
        concerns=concerns,
    )


DETECTORS = (
    detector("Recon:EC2/PortProbeUnprotectedPort", 2.0, PROBED, EXAMPLES),
    detector(
        "Recon:EC2/PortProbeEMRUnprotectedPort",
        8.0,
        PROBED & _LOCAL_PORT.is_in(EMR_PORTS),
        (
            fires(
                "a scanner is answered by YARN on a cluster's node",
                answer(8088),
                indicators=LISTED,
                severity=8.0,
                instances={INSTANCE: {f"{EMR_TAG}job-flow-id": "j-1"}},
            ),
            quiet("the instance is no cluster's", answer(8088), indicators=LISTED, instances={INSTANCE: {}}),
            quiet("nothing is known of the instance", answer(8088), indicators=LISTED),
            quiet(
                "another port of the node answers",
                answer(22),
                indicators=LISTED,
                instances={INSTANCE: {f"{EMR_TAG}job-flow-id": "j-1"}},
            ),
        ),
        is_of_emr,
    ),
)
