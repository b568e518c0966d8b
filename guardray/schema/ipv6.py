"""IPv6 addresses as 16 bytes: to and from text, and whether the internet routes them.

In NumPy they are of type `S16`, most significant byte first, so that they sort and compare as the numbers they are.
"""

from __future__ import annotations

import socket
from ipaddress import IPv6Address, IPv6Network, collapse_addresses

import numpy as np
import numpy.typing as npt
import polars as pl

IPv6s = npt.NDArray[np.bytes_]

WIDTH = 16

_ROUTED = IPv6Network("2000::/3")
_SPECIAL = tuple(map(IPv6Network, ("2001:2::/48", "2001:10::/28")))


def _not_public() -> tuple[IPv6Network, ...]:
    unrouted = IPv6Network("::/0").address_exclude(_ROUTED)
    return tuple(sorted(collapse_addresses((*unrouted, *_SPECIAL))))


NOT_PUBLIC_V6: tuple[IPv6Network, ...] = _not_public()
"""Networks that no public host has, ascending: all but 2000::/3, and benchmarking and the first ORCHID within it.

Source: IANA IPv6 special-purpose address registry. The documentation networks (RFC 3849, RFC 9637) are left out on
purpose, as those of IPv4 are: in examples they stand for public hosts.
"""


def ipv6_packed(text: str) -> bytes | None:
    """The 16 bytes of an address; None where the text is not an IPv6 address."""
    try:
        return socket.inet_pton(socket.AF_INET6, text)
    except (OSError, ValueError):
        return None


def ipv6_text(packed: bytes) -> str:
    """The address in its shortest form. Zeros at the end may be missing, as NumPy leaves them out."""
    return str(IPv6Address(packed.ljust(WIDTH, b"\0")))


def ipv6_addresses(texts: pl.Series) -> tuple[IPv6s, npt.NDArray[np.intp]]:
    """The IPv6 addresses among texts, and at which places they stand: S16 [n], [n].

    One call of the C library a text with a colon: give distinct ones.
    """
    places = np.flatnonzero(texts.str.contains(":", literal=True).fill_null(False).to_numpy())
    packed = [ipv6_packed(text) for text in texts.gather(places).to_list()]
    valid = np.array([one is not None for one in packed], bool)
    return np.frombuffer(b"".join(one for one in packed if one is not None), f"S{WIDTH}"), places[valid]


def mapped_ipv4s(addresses: IPv6s) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.intp]]:
    """The numbers of the IPv4 addresses that IPv4-mapped ones stand for, and at which places these are.

    Source: RFC 4291, section 2.5.5.2.
    """
    high, low = to_words(addresses)
    places = np.flatnonzero((high == 0) & (low >> np.uint64(32) == 0xFFFF))
    return low[places].astype(np.uint32), places


def from_words(high: npt.NDArray[np.uint64], low: npt.NDArray[np.uint64]) -> IPv6s:
    """S16 [n]: addresses from their upper and lower 64 bits."""
    words = np.empty((len(high), 2), ">u8")
    words[:, 0], words[:, 1] = high, low
    return words.reshape(-1).view(f"S{WIDTH}")


def to_words(addresses: IPv6s) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """The upper and lower 64 bits of addresses: uint64 [n] each."""
    words = np.ascontiguousarray(addresses).view(">u8").reshape(-1, 2)
    return words[:, 0].astype(np.uint64), words[:, 1].astype(np.uint64)
