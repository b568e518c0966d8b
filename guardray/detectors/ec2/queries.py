"""What detectors over DNS queries share: whose queries they look at, and what a finding says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from guardray.context.public_suffix import registered_domain
from guardray.findings.actions import DnsRequest
from guardray.findings.details import Details, ThreatIntelligence
from guardray.findings.resources import Instance, NetworkInterface, Resource
from guardray.types import Row

FROM_INSIDE = pl.col("resolver_endpoint_uid").is_null()
"""Asked in the VPC. What came through an inbound endpoint was asked by some machine outside of it."""


def request_details(
    row: Row,
    title: str,
    description: str,
    threats: tuple[ThreatIntelligence, ...] = (),
    additional_info: Mapping[str, Any] | None = None,
) -> Details:
    """A finding about the instance that asked; the client's address stands for one that the log does not name."""
    interface = NetworkInterface(private_ip=row["src_endpoint_ip"], vpc_id=row["vpc_uid"])
    asker = Instance(instance_id=row["instance_uid"], interface=interface)
    return Details(
        title=title,
        description=description,
        resource=Resource(resource_type="Instance", instance=asker),
        action=DnsRequest.of(row, registered_domain(row["query_hostname"])),
        threat_intelligence=threats,
        additional_info=dict(additional_info or {}),
    )


def query(name: str | None, **columns: Any) -> Mapping[str, Any]:
    """A query for examples."""
    return {
        "query_hostname": name,
        "instance_uid": "i-0123456789abcdef0",
        "vpc_uid": "vpc-0123456789abcdef0",
        "src_endpoint_ip": "10.0.0.5",
        **columns,
    }
