"""Public IPv4 addresses to draw from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Blocks that are private, shared, reserved, documentation, benchmark or multicast (IANA special-purpose registry).
_SPECIAL = (
    ("0.0.0.0", 8),
    ("10.0.0.0", 8),
    ("100.64.0.0", 10),
    ("127.0.0.0", 8),
    ("169.254.0.0", 16),
    ("172.16.0.0", 12),
    ("192.0.0.0", 24),
    ("192.0.2.0", 24),
    ("192.31.196.0", 24),
    ("192.52.193.0", 24),
    ("192.88.99.0", 24),
    ("192.168.0.0", 16),
    ("192.175.48.0", 24),
    ("198.18.0.0", 15),
    ("198.51.100.0", 24),
    ("203.0.113.0", 24),
    ("224.0.0.0", 3),
)


def number(text: str) -> int:
    """The 32-bit number of a dotted address."""
    value = 0
    for octet in text.split("."):
        value = value << 8 | int(octet)
    return value


_BLOCKS = sorted((number(base), number(base) + 2 ** (32 - bits)) for base, bits in _SPECIAL)
_ROOM_STARTS = np.array([0] + [end for _, end in _BLOCKS], dtype=np.int64)
_ROOM_SIZES = np.array([start for start, _ in _BLOCKS] + [2**32], dtype=np.int64) - _ROOM_STARTS
_ROOM_OFFSETS = np.concatenate(([0], np.cumsum(_ROOM_SIZES)))


def public_addresses(rng: np.random.Generator, n: int) -> NDArray[np.uint32]:
    """Random globally routable addresses, evenly over the public space: uint32 [n]."""
    position = rng.integers(0, int(_ROOM_OFFSETS[-1]), n)
    room = np.searchsorted(_ROOM_OFFSETS, position, side="right") - 1
    return np.asarray(_ROOM_STARTS[room] + position - _ROOM_OFFSETS[room], dtype=np.uint32)


def public_address(rng: np.random.Generator) -> int:
    """One random globally routable address as a number."""
    return int(public_addresses(rng, 1)[0])
