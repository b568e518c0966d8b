"""Traffic of the scenarios that AWS's own tester runs, and of bursts at awkward times, as flow records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from guardray.detectors.ec2.connections import TCP, flow
from guardray.testing import START

ATTACKER, VICTIM = "10.0.0.5", "10.0.0.9"
AT_ATTACKER = {"interface_uid": "eni-attacker", "instance_uid": "i-attacker", "is_egress": True}
AT_VICTIM = {"interface_uid": "eni-victim", "instance_uid": "i-victim", "is_egress": False}

Rows = list[Mapping[str, Any]]


def both_interfaces(rows: Iterable[Mapping[str, Any]]) -> Rows:
    """Records of the same packets from the sender's interface and from the receiver's."""
    return [{**row, **interface} for row in rows for interface in (AT_ATTACKER, AT_VICTIM)]


def connect_scan(ports: Iterable[int], milliseconds: int = 10) -> Rows:
    """A SYN to each port of the victim, one every so many milliseconds."""
    return [
        {**flow(ATTACKER, VICTIM, dst_endpoint_port=port), "time": START + timedelta(milliseconds=milliseconds * i)}
        for i, port in enumerate(ports)
    ]


def refusals(rows: Iterable[Mapping[str, Any]]) -> Rows:
    """The reset that answers each of the SYNs."""
    reset = {"tcp_flags": 4, "traffic_bytes": 40}
    return [{**row, **_turned(row), **reset, "is_egress": not row["is_egress"], "protocol_num": TCP} for row in rows]


def _turned(row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("endpoint_ip_v4", "endpoint_port")
    return {f"{to}_{name}": row[f"{of}_{name}"] for to, of in (("src", "dst"), ("dst", "src")) for name in names}


def guesses(port: int, count: int, seconds: float) -> Rows:
    """Short sessions with a port of the victim, evenly over a time."""
    session = {"dst_endpoint_port": port, "tcp_flags": 3, "traffic_packets": 14, "traffic_bytes": 2_000}
    return [
        {
            **flow(ATTACKER, VICTIM, **session),
            "src_endpoint_port": 32_768 + i % 28_000,
            "time": START + timedelta(seconds=seconds * i / count),
        }
        for i in range(count)
    ]
