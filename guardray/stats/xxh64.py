"""XXH64 over bytes at a memory address and over Arrow's 16-byte string views, compiled.

Arrow lays strings out as views: the length, then either the bytes themselves (12 or fewer, padded with zeros) or four
bytes of prefix, a buffer number and an offset. Short strings, which most log fields are, hash without leaving the view.

Source: xxHash fast digest algorithm, specification 0.1.1, section "XXH64 algorithm description".
"""

from __future__ import annotations

import numpy as np
from numba import njit, types

from guardray.stats.compiled import READ_U64_ROWS, READ_U64S, U64S
from guardray.stats.intrinsics import load_u8, load_u32, load_u64

P1 = np.uint64(0x9E3779B185EBCA87)
P2 = np.uint64(0xC2B2AE3D27D4EB4F)
P3 = np.uint64(0x165667B19E3779F9)
P4 = np.uint64(0x85EBCA77C2B2AE63)
P5 = np.uint64(0x27D4EB2F165667C5)
BITS = np.uint64(64)
INLINE = 12


@njit(nogil=True)
def _rotate(word: np.uint64, count: np.uint64) -> np.uint64:
    return (word << count) | (word >> (BITS - count))


@njit(nogil=True)
def _round(lane: np.uint64, word: np.uint64) -> np.uint64:
    return _rotate(lane + word * P2, np.uint64(31)) * P1


@njit(nogil=True)
def _merge(digest: np.uint64, lane: np.uint64) -> np.uint64:
    return (digest ^ _round(np.uint64(0), lane)) * P1 + P4


@njit(nogil=True)
def _take_u64(digest: np.uint64, word: np.uint64) -> np.uint64:
    return _rotate(digest ^ _round(np.uint64(0), word), np.uint64(27)) * P1 + P4


@njit(nogil=True)
def _take_u32(digest: np.uint64, word: np.uint64) -> np.uint64:
    return _rotate(digest ^ (word * P1), np.uint64(23)) * P2 + P3


@njit(nogil=True)
def _take_u8(digest: np.uint64, byte: np.uint64) -> np.uint64:
    return _rotate(digest ^ (byte * P5), np.uint64(11)) * P1


@njit(nogil=True)
def _avalanche(digest: np.uint64) -> np.uint64:
    digest = (digest ^ (digest >> np.uint64(33))) * P2
    digest = (digest ^ (digest >> np.uint64(29))) * P3
    return digest ^ (digest >> np.uint64(32))


@njit(nogil=True)
def _hash_inline(length: np.uint64, low: np.uint64, high: np.uint64) -> np.uint64:
    """XXH64 of at most 12 bytes: the first eight in `low`, the rest in `high`."""
    digest = P5 + length
    word = low
    if length >= np.uint64(8):
        digest = _take_u64(digest, low)
        word = high
        length -= np.uint64(8)
    if length >= np.uint64(4):
        digest = _take_u32(digest, word & np.uint64(0xFFFFFFFF))
        word >>= np.uint64(32)
        length -= np.uint64(4)
    for _ in range(length):
        digest = _take_u8(digest, word & np.uint64(0xFF))
        word >>= np.uint64(8)
    return _avalanche(digest)


@njit(nogil=True)
def _hash_stripes(address: np.uint64, count: np.uint64) -> np.uint64:
    """The four lanes over `count` stripes of 32 bytes, folded into one word."""
    a, b, c, d = P1 + P2, P2, np.uint64(0), np.uint64(0) - P1
    for _ in range(count):
        a = _round(a, load_u64(address))
        b = _round(b, load_u64(address + np.uint64(8)))
        c = _round(c, load_u64(address + np.uint64(16)))
        d = _round(d, load_u64(address + np.uint64(24)))
        address += np.uint64(32)
    digest = _rotate(a, np.uint64(1)) + _rotate(b, np.uint64(7))
    digest += _rotate(c, np.uint64(12)) + _rotate(d, np.uint64(18))
    return _merge(_merge(_merge(_merge(digest, a), b), c), d)


@njit(nogil=True)
def hash_bytes(address: np.uint64, length: np.uint64) -> np.uint64:
    """XXH64 with seed 0 of the bytes at an address."""
    end = address + length
    digest = P5
    if length >= np.uint64(32):
        stripes = length // np.uint64(32)
        digest = _hash_stripes(address, stripes)
        address += stripes * np.uint64(32)
    digest += length
    while address + np.uint64(8) <= end:
        digest = _take_u64(digest, load_u64(address))
        address += np.uint64(8)
    if address + np.uint64(4) <= end:
        digest = _take_u32(digest, load_u32(address))
        address += np.uint64(4)
    while address < end:
        digest = _take_u8(digest, load_u8(address))
        address += np.uint64(1)
    return _avalanche(digest)


@njit(types.void(READ_U64_ROWS, READ_U64S, U64S), nogil=True, cache=True)
def hash_views(views: np.ndarray, buffers: np.ndarray, out: np.ndarray) -> None:
    """XXH64 with seed 0 of every string.

    Args:
        views: uint64 [n, 2], Arrow string views.
        buffers: uint64 [b], addresses of the data buffers that the views point into; they must stay alive.
        out: uint64 [n], written.
    """
    half = np.uint64(0xFFFFFFFF)
    for i in range(len(views)):
        first, second = views[i, 0], views[i, 1]
        length = first & half
        if length <= np.uint64(INLINE):
            low = (first >> np.uint64(32)) | (second << np.uint64(32))
            out[i] = _hash_inline(length, low, second >> np.uint64(32))
        else:
            out[i] = hash_bytes(buffers[second & half] + (second >> np.uint64(32)), length)
