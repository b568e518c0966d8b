"""One value of a list or a log: from text to what indexes look up, and back."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network, summarize_address_range
from typing import cast

import numpy as np
import polars as pl

from guardray.intel.entries import Entries
from guardray.intel.ranges import Addresses
from guardray.schema.addresses import ipv4_number
from guardray.schema.ipv6 import WIDTH, ipv6_packed, mapped_ipv4s

_DOMAIN = re.compile(r"(\*\.)?[\w-]+(\.[\w-]+)*")
_WORD = 2**64


def address_key(value: str | int) -> Addresses | None:
    """An address as an array of one: uint32 for IPv4, S16 for IPv6; None where it is none."""
    number = ipv4_number(value) if isinstance(value, str) else value
    if number is not None:
        return np.array([number], np.uint32)
    packed = ipv6_packed(cast(str, value)) if ":" in cast(str, value) else None
    if packed is None:
        return None
    key = np.array([packed], f"S{WIDTH}")
    mapped, _ = mapped_ipv4s(key)
    return mapped if len(mapped) else key


def range_text(first: int | bytes, last: int | bytes) -> str:
    """A range of numbers (IPv4) or of up to 16 bytes (IPv6) as an address, a network, or else as its two ends."""
    low, high = _address(first), _address(last)
    if low == high:
        return str(low)
    networks = list(summarize_address_range(low, high))
    return str(networks[0]) if len(networks) == 1 else f"{low}-{high}"


def entries_of_value(text: str) -> Entries:
    """The entry that is an address, a network (host bits are cleared), a range of addresses, or a domain.

    Raises:
        ValueError: it is none of these.
    """
    ends = ends_of(text)
    if ends is None:
        name = text.lower().removesuffix(".")
        if not _DOMAIN.fullmatch(name):
            raise ValueError(f"{text!r} is no address, network, range or domain")
        return Entries.of(domains=pl.DataFrame({"name": [name]}))
    first, last = map(int, ends)
    if isinstance(ends[0], IPv4Address):
        return Entries.of(v4=pl.DataFrame({"first": [first], "last": [last]}))
    columns = zip(
        ("first_hi", "first_lo", "last_hi", "last_lo"), (*divmod(first, _WORD), *divmod(last, _WORD)), strict=True
    )
    words = {name: pl.Series([word], dtype=pl.UInt64) for name, word in columns}
    return Entries.of(v6=pl.DataFrame(words))


def _address(end: int | bytes) -> IPv4Address | IPv6Address:
    return IPv6Address(end.ljust(WIDTH, b"\0")) if isinstance(end, bytes) else IPv4Address(int(end))


def ends_of(text: str) -> tuple[IPv4Address | IPv6Address, IPv4Address | IPv6Address] | None:
    """First and last address of an address, a network or a range in text; None where it is none."""
    try:
        if "-" in text:
            low, high = map(ip_address, text.split("-", 1))
            return (low, high) if low.version == high.version and int(low) <= int(high) else None
        network = ip_network(text, strict=False)
    except ValueError:
        return None
    return network[0], network[-1]
