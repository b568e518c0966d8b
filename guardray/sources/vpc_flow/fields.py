"""Fields of VPC Flow Log records: what they may hold, which column each becomes, and which order a log has them in.

Source: Amazon VPC User Guide, "Flow log records"; for transit gateways "Transit gateway flow log records".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from socket import AF_INET6, inet_pton

import polars as pl

from guardray.sources.decoder import LAST_TIME
from guardray.sources.flow_fields import KNOWN_FIELDS, V2_FIELDS
from guardray.sources.vpc_flow.zones import region_of_zone

UNKNOWN = "-"
"""Stands in a field that has no value."""

LAST_SECOND = int(LAST_TIME.timestamp()) - 1

_LARGEST = 10**18 - 1
"""Bytes or packets beyond are damage: eighteen digits still fit 64 bits."""


@dataclass(frozen=True)
class Number:
    """A whole number from 0 to `most`."""

    column: str
    most: int


NUMBERS: Mapping[str, Number] = {
    "srcport": Number("src_endpoint_port", 65_535),
    "dstport": Number("dst_endpoint_port", 65_535),
    "protocol": Number("protocol_num", 255),
    "tcp-flags": Number("tcp_flags", 255),
    "packets": Number("traffic_packets", _LARGEST),
    "bytes": Number("traffic_bytes", _LARGEST),
}
TIMES: Mapping[str, Number] = {"start": Number("time", LAST_SECOND), "end": Number("end_time", LAST_SECOND)}
ADDRESSES: Mapping[str, str] = {"srcaddr": "src_endpoint_ip", "dstaddr": "dst_endpoint_ip"}


@dataclass(frozen=True)
class Word:
    """A word out of rather few. `read` gives what it stands for, null for none, and raises ValueError for nonsense."""

    column: str
    dtype: pl.DataType
    read: Callable[[str], str | bool | None]


def _one_of(meanings: Mapping[str, bool]) -> Callable[[str], bool]:
    def read(word: str) -> bool:
        if word not in meanings:
            raise ValueError(f"is none of {', '.join(meanings)}")
        return meanings[word]

    return read


def _account(word: str) -> str | None:
    """An account's number. AWS writes `unknown` for interfaces that one of its services made."""
    if word == "unknown":
        return None
    if re.fullmatch(r"\d{12}", word, re.ASCII) is None:
        raise ValueError("is no account of 12 digits")
    return word


def ipv6(word: str) -> str:
    """An IPv6 address, as it was written. Raises ValueError for anything else."""
    try:
        inet_pton(AF_INET6, word)  # ten times as fast as ipaddress.IPv6Address
    except OSError:
        raise ValueError("is no address") from None
    return word


STATUS = "log-status"
WORDS: Mapping[str, Word] = {
    "account-id": Word("cloud_account_uid", pl.String(), _account),
    "region": Word("cloud_region", pl.String(), str),
    "az-id": Word("cloud_region", pl.String(), region_of_zone),
    "interface-id": Word("interface_uid", pl.String(), str),
    "instance-id": Word("instance_uid", pl.String(), str),
    "vpc-id": Word("vpc_uid", pl.String(), str),
    "subnet-id": Word("subnet_uid", pl.String(), str),
    "action": Word("is_rejected", pl.Boolean(), _one_of({"ACCEPT": False, "REJECT": True})),
    "flow-direction": Word("is_egress", pl.Boolean(), _one_of({"ingress": False, "egress": True})),
    STATUS: Word("has_traffic", pl.Boolean(), _one_of({"OK": True, "NODATA": False, "SKIPDATA": False})),
}

_STAND_INS = {"srcaddr": "pkt-srcaddr", "dstaddr": "pkt-dstaddr"}
"""The packet's own addresses differ from the interface's only where something on the way forwards traffic."""


@dataclass(frozen=True)
class Layout:
    """Which fields the records of a log have, in order."""

    names: tuple[str, ...]

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """Where the fields that become columns stand."""
        found = {name: position for position, name in enumerate(self.names)}
        for field, other in _STAND_INS.items():
            if field not in found and other in found:
                found[field] = found[other]
        if "region" in found:
            found.pop("az-id", None)
        used = {**NUMBERS, **TIMES, **ADDRESSES, **WORDS}
        return {name: found[name] for name in used if name in found}

    def lacks(self, *, has_time: bool) -> str | None:
        """What is missing of the fields without which records tell nothing. `has_time`: their object's name has one."""
        missing = [name for name in ADDRESSES if name not in self.positions]
        if not has_time and not any(name in self.positions for name in TIMES):
            missing.append("start or end, and its name no date")
        return ", ".join(missing) or None


def header(line: bytes) -> Layout | None:
    """The layout that a header line declares; null if it is none. More than half of the names must be known."""
    names = tuple(line.decode("ascii", errors="replace").replace("_", "-").split())
    known = sum(name in KNOWN_FIELDS for name in names)
    return Layout(names) if known > 1 and known * 2 > len(names) else None


_INGESTION_TIME = re.compile(rb"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)")


def default_format(record: bytes) -> Layout | None:
    """The layout of logs without a header, judged by a record; null if it is not the default format of version 2.

    CloudWatch Logs puts its own time before every record that it exports.
    """
    words = record.split()
    prefix = ("ingestion-time",) if words and _INGESTION_TIME.fullmatch(words[0]) else ()
    layout = Layout(prefix + V2_FIELDS)
    is_default = len(words) == len(layout.names) and words[len(prefix)] == b"2"
    return layout if is_default else None
