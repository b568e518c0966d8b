"""Compiled look-up of names and all their parents in a hash table, one pass over a name from its right end.

A suffix's hash rolls on byte by byte, so that each dot has the hash of all that stands right of it. A small bitmap
turns down most of them. What the table finds is compared byte by byte, so that no collision counts.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types

from guardray.stats.compiled import READ_I64S, READ_U64_ROWS, READ_U64S, U64S
from guardray.stats.hashing import mix
from guardray.stats.intrinsics import load_u8

READ_U8S = types.Array(types.uint8, 1, "C", readonly=True)
READ_U32S = types.Array(types.uint32, 1, "C", readonly=True)
U32S = types.Array(types.uint32, 1, "C")

INLINE = 12
"""Strings of up to this many bytes lie within their view. Source: Arrow columnar format, variable-size binary view."""

_SEED = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x100000001B3)
_DOT = np.uint64(ord("."))
_UPPER_A, _UPPER_Z, _TO_LOWER = np.uint64(ord("A")), np.uint64(ord("Z")), np.uint64(32)
_ONE = np.uint64(1)
_NONE = np.int64(-1)


@njit(nogil=True)
def _letter(address: np.uint64) -> np.uint64:
    """The byte at an address, in lower case."""
    byte: np.uint64 = load_u8(address)
    return byte | _TO_LOWER if _UPPER_A <= byte <= _UPPER_Z else byte


@njit(nogil=True)
def _roll(state: np.uint64, byte: np.uint64) -> np.uint64:
    """Source: Fowler, Noll and Vo, FNV-1a."""
    return (state ^ byte) * _PRIME


@njit(nogil=True)
def _equals(address: np.uint64, length: np.int64, data: np.ndarray, begin: np.int64) -> bool:
    for place in range(length):  # noqa: SIM110 - numba compiles no generators
        if _letter(address + np.uint64(place)) != data[begin + place]:
            return False
    return True


@njit(nogil=True)
def _find(
    state: np.uint64,
    address: np.uint64,
    length: np.int64,
    offsets: np.ndarray,
    data: np.ndarray,
    slots: np.ndarray,
    bitmap: np.ndarray,
) -> np.int64:
    """The number of the listed name that these bytes are, or -1."""
    digest = mix(state)
    place = digest & np.uint64(64 * len(bitmap) - 1)
    if not (bitmap[place >> np.uint64(6)] >> (place & np.uint64(63))) & _ONE:
        return _NONE
    slot = (digest >> np.uint64(32)) & np.uint64(len(slots) - 1)
    while slots[slot]:
        name = np.int64(slots[slot]) - 1
        if offsets[name + 1] - offsets[name] == length and _equals(address, length, data, offsets[name]):
            return name
        slot = (slot + _ONE) & np.uint64(len(slots) - 1)
    return _NONE


@njit(types.void(READ_I64S, READ_U8S, U32S, U64S), nogil=True, cache=True)
def insert(offsets: np.ndarray, data: np.ndarray, slots: np.ndarray, bitmap: np.ndarray) -> None:
    """Enter distinct names.

    Args:
        offsets, data: of `Texts`.
        slots: uint32, zeros, a power of two and more than there are names: the name's number, from 1, is written.
        bitmap: uint64, zeros, a power of two: the name's bit is set.
    """
    for name in range(len(offsets) - 1):
        state = _SEED
        for position in range(offsets[name + 1] - 1, offsets[name] - 1, -1):
            state = _roll(state, np.uint64(data[position]))
        digest = mix(state)
        place = digest & np.uint64(64 * len(bitmap) - 1)
        bitmap[place >> np.uint64(6)] |= _ONE << (place & np.uint64(63))
        slot = (digest >> np.uint64(32)) & np.uint64(len(slots) - 1)
        while slots[slot]:
            slot = (slot + _ONE) & np.uint64(len(slots) - 1)
        slots[slot] = name + 1


@njit(
    types.void(READ_U64_ROWS, READ_U64S, READ_I64S, READ_U8S, READ_U32S, READ_U64S, READ_U64S, READ_U64S, U64S),
    nogil=True,
    cache=True,
)
def look_up(
    views: np.ndarray,
    buffers: np.ndarray,
    offsets: np.ndarray,
    data: np.ndarray,
    slots: np.ndarray,
    bitmap: np.ndarray,
    exact: np.ndarray,
    below: np.ndarray,
    out: np.ndarray,
) -> None:
    """The masks of every name: of the listed name that it is, and of those that it is below, or-ed.

    Args:
        views: uint64 [n, 2], Arrow string views.
        buffers: uint64 [b], addresses of the data buffers that the views point into; they must stay alive.
        offsets, data, slots, bitmap: as `insert` left them.
        exact, below: uint64, masks of each listed name for itself, and for what is below it.
        out: uint64 [n], written.
    """
    half = np.uint64(0xFFFFFFFF)
    base = np.uint64(views.ctypes.data)
    for i in range(len(views)):
        end = np.int64(views[i, 0] & half)
        address = base + np.uint64(16 * i + 4)
        if end > INLINE:
            address = buffers[views[i, 1] & half] + (views[i, 1] >> np.uint64(32))
        if end and load_u8(address + np.uint64(end - 1)) == _DOT:
            end -= 1
        state, mask = _SEED, np.uint64(0)
        for place in range(end - 1, -1, -1):
            byte = _letter(address + np.uint64(place))
            if byte == _DOT:
                start = place + 1
                name = _find(state, address + np.uint64(start), end - start, offsets, data, slots, bitmap)
                if name >= 0:
                    mask |= below[name]
            state = _roll(state, byte)
        if end:
            name = _find(state, address, end, offsets, data, slots, bitmap)
            if name >= 0:
                mask |= exact[name]
        out[i] = mask
