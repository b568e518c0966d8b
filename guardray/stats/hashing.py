"""Stable 64-bit hashes: the same on every machine, in every version and however the strings are stored.

Strings hash by XXH64 with seed 0 over their UTF-8 bytes; a null hashes to `NULL_HASH`. Numbers are mixed with the
finaliser of SplitMix64. These values are written into snapshots and finding ids: changing them is a new schema version.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numba import njit, types
from numpy.typing import NDArray

from guardray.stats.compiled import READ_U64S, U64S
from guardray.stats.xxh64 import hash_views

NULL_HASH = 0x6E756C6C5F686173
"""What a null string hashes to: the bytes `null_has`, so that it is no string's hash by construction."""

KEY_GROUPS = 256

_VIEW_BYTES = 16
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_GROUP = np.uint64(0xD6E8FEB86659FD93)


def hash_strings(strings: pl.Series | pa.Array | pa.ChunkedArray) -> NDArray[np.uint64]:
    """Hash every string: uint64 [n].

    Args:
        strings: String, Categorical or Enum series, or a string array of any Arrow layout. Nulls give `NULL_HASH`.

    Raises:
        TypeError: they are not strings.
    """
    series = strings if isinstance(strings, pl.Series) else pl.Series(strings)
    if isinstance(series.dtype, pl.Categorical | pl.Enum):
        series = series.cast(pl.String)
    if series.dtype != pl.String:
        raise TypeError(f"cannot hash {series.dtype} as strings")
    # StringView is how polars itself holds strings: this copies nothing, where large_string copies every byte.
    array = series.to_arrow(compat_level=pl.CompatLevel.newest())
    hashes = _hash_array(array)
    if array.null_count:
        hashes[series.is_null().to_numpy()] = NULL_HASH
    return hashes


def _hash_array(array: pa.Array) -> NDArray[np.uint64]:
    _, _, *data = array.buffers()
    hashes = np.empty(len(array), dtype=np.uint64)
    if len(array):
        hash_views(_words(array), np.array([buffer.address for buffer in data], dtype=np.uint64), hashes)
    return hashes


def _words(array: pa.Array) -> NDArray[np.uint64]:
    views = array.buffers()[1]
    return np.frombuffer(views, np.uint64, count=2 * len(array), offset=_VIEW_BYTES * array.offset).reshape(-1, 2)


def view_words(strings: pl.Series) -> NDArray[np.uint64]:
    """How each string lies in memory: uint64 [n, 2], a copy of nothing.

    Equal words mean equal strings, and short strings (12 bytes) that are equal have equal words; longer ones have them
    where they are at one place. The words of a null mean nothing.
    """
    return _words(strings.to_arrow(compat_level=pl.CompatLevel.newest()))


def hash_text(text: str) -> int:
    """The hash that `hash_strings` gives this string."""
    return int(hash_strings(pl.Series([text], dtype=pl.String))[0])


@njit(nogil=True)
def mix(word: np.uint64) -> np.uint64:
    """Finaliser of SplitMix64: every input bit flips each output bit with a chance near one half.

    Source: Steele, Lea and Flood 2014, Fast splittable pseudorandom number generators; variant 13 of D. Stafford.
    """
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@njit(types.void(U64S, READ_U64S), nogil=True, cache=True)
def _absorb(state: np.ndarray, words: np.ndarray) -> None:
    for i in range(len(state)):
        state[i] = mix(state[i] * _GOLDEN + words[i])


def hash_combine(*arrays: NDArray[Any]) -> NDArray[np.uint64]:
    """Hash rows of several integer or boolean columns into one: uint64 [n]. The order of the columns matters.

    Equal numbers hash equally whatever their width: int32 -1 as int64 -1, uint8 7 as uint64 7.

    Raises:
        TypeError: a column holds something else than integers or booleans.
        ValueError: there is no column, or they differ in length.
    """
    if len({len(array) for array in arrays}) != 1:
        raise ValueError(f"columns must be of one length, not {[len(array) for array in arrays]}")
    state = np.full(len(arrays[0]), _GOLDEN, dtype=np.uint64)
    for array in arrays:
        _absorb(state, as_words(array))
    return state


def as_words(array: NDArray[Any]) -> NDArray[np.uint64]:
    """Integers or booleans as contiguous 64-bit words, negative numbers in two's complement."""
    if array.dtype.kind not in "iub":
        raise TypeError(f"cannot hash {array.dtype} as whole numbers")
    if array.dtype.kind == "i":
        array = array.astype(np.int64, copy=False).view(np.uint64)
    return np.ascontiguousarray(array, dtype=np.uint64)


def key_group(hashes: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Which of the 256 key groups each entity belongs to: uint8 [n].

    The hash is mixed again, so that the groups say nothing about where a key lands in a hash table.
    """
    folded = hashes ^ (hashes >> np.uint64(32))
    return (folded * _GROUP >> np.uint64(56)).astype(np.uint8)
