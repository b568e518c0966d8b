"""What list entries mean, by the plainest reading: the standard library's networks, and a walk over suffixes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from ipaddress import ip_address, ip_network

from guardray.intel.categories import Category, bit
from guardray.schema.addresses import NOT_PUBLIC
from guardray.schema.ipv6 import NOT_PUBLIC_V6


def address_mask(address: str | int, listed: Mapping[str, Category]) -> int:
    """The mask of an address among listed addresses, networks and ranges of the same kind."""
    asked = ip_address(address)
    reserved = NOT_PUBLIC if asked.version == 4 else NOT_PUBLIC_V6
    if any(asked in network for network in reserved):
        return 0
    return mask_of(category for text, category in listed.items() if _holds(text, asked))


def domain_mask(name: str | None, listed: Mapping[str, Category]) -> int:
    """The mask of a name among listed names: threats reach below themselves, trust is as listed."""
    return mask_of(category for text, category in listed.items() if name and _names(text, name, category))


def mask_of(categories: Iterable[Category]) -> int:
    """The bits of all categories, or that of trust alone."""
    mask = reduce(int.__or__, map(bit, categories), 0)
    return bit("trusted") if mask & bit("trusted") else mask


def _holds(text: str, asked) -> bool:
    if "-" in text:
        low, high = map(ip_address, text.split("-"))
        return low <= asked <= high
    return asked in ip_network(text, strict=False)


def _names(text: str, name: str, category: Category) -> bool:
    listed = text.removeprefix("*.")
    if category != "trusted":
        return f".{name}".endswith(f".{listed}")
    return name.endswith(f".{listed}") if text.startswith("*.") else name == listed
