"""What detectors over flow records share: whose traffic they look at, and how findings name its two ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

import polars as pl

from guardray.findings.actions import NetworkConnection
from guardray.findings.resources import Instance, NetworkInterface, Resource
from guardray.schema.addresses import ipv4_text
from guardray.types import Row

TCP, UDP = 6, 17

RESOURCE = ("resource_uid",)
"""Entity of findings about an instance, or about the interface where the log does not name the instance."""

IS_TCP = pl.col("protocol_num") == TCP
IS_UDP = pl.col("protocol_num") == UDP

OURS = pl.col("is_egress").fill_null(~pl.col("src_is_public"))
"""The interface may have sent it: flow-direction says so or, where it is not logged, the source is a private address.
Instances of a VPC with public address ranges are seen only in logs with flow-direction."""

OUTBOUND = OURS & pl.col("is_request") & (IS_TCP | IS_UDP)
"""Our side asked. Replies are no sign of anything: every scanner gets some. ICMP has no direction to tell by."""


@dataclass(frozen=True)
class End:
    """One end of a connection. The port is null where there were many."""

    address: int
    port: int | None = None

    def __str__(self) -> str:
        return ipv4_text(self.address)


def source_of(row: Row) -> End:
    """The end that a flow record came from."""
    return End(row["src_endpoint_ip_v4"], row["src_endpoint_port"])


def target_of(row: Row) -> End:
    """The end that a flow record went to."""
    return End(row["dst_endpoint_ip_v4"], row["dst_endpoint_port"])


def instance(row: Row, local: End) -> Resource:
    """The instance behind the interface of a flow record or of a window."""
    interface = NetworkInterface(
        interface_id=row["interface_uid"],
        private_ip=str(local),
        vpc_id=row["vpc_uid"],
        subnet_id=row["subnet_uid"],
    )
    return Resource(resource_type="Instance", instance=Instance(instance_id=row["instance_uid"], interface=interface))


def connection(
    row: Row, local: End, remote: End, *, direction: str = "OUTBOUND", protocol: int | None = TCP, blocked: bool = False
) -> NetworkConnection:
    """The connection that a finding is about."""
    return NetworkConnection(
        direction=direction,
        protocol_num=protocol,
        local_ip=str(local),
        local_port=local.port,
        remote_ip=str(remote),
        remote_port=remote.port,
        blocked=blocked,
        interface_id=row["interface_uid"],
    )


def flow(source: str = "10.0.0.5", target: str = "198.51.100.7", **columns: Any) -> Mapping[str, Any]:
    """A flow record for examples: a SYN to port 443 that an instance sent, unless `columns` say otherwise."""
    return {
        "interface_uid": "eni-0123456789abcdef0",
        "instance_uid": "i-0123456789abcdef0",
        "src_endpoint_ip_v4": int(IPv4Address(source)),
        "dst_endpoint_ip_v4": int(IPv4Address(target)),
        "src_endpoint_port": 50000,
        "dst_endpoint_port": 443,
        "protocol_num": TCP,
        "tcp_flags": 2,
        "traffic_packets": 1,
        "traffic_bytes": 60,
        "is_rejected": False,
        "is_egress": source.startswith("10."),
        **columns,
    }
