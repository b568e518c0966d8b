"""The most frequent values of a key, from a linear sketch: sums of counters, so that it merges exactly in any order.

A counter-per-value summary (Space-Saving, Misra-Gries) is smaller, but what it keeps depends on the order of arrival.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from guardray.stats.compiled import I64_ROWS, I64S, READ_I64_ROWS, READ_I64S
from guardray.stats.hashing import mix
from guardray.stats.summary import Summary, as_integers

NO_VALUE = -1


@njit(nogil=True)
def _place(value: int, line: int, width: int, bits: int) -> np.int64:
    """Where the counters of the value's bucket begin, in this line of buckets."""
    word = mix(np.uint64(value) + np.uint64(line) * np.uint64(0x9E3779B97F4A7C15))
    bucket = (word >> np.uint64(32)) * np.uint64(width) >> np.uint64(32)
    return (line * width + np.int64(bucket)) * (1 + bits)


@njit(
    types.void(I64_ROWS, READ_I64S, READ_I64S, READ_I64S, types.int64, types.int64, types.int64),
    nogil=True,
    cache=True,
)
def _count(
    state: np.ndarray, rows: np.ndarray, values: np.ndarray, weights: np.ndarray, depth: int, width: int, bits: int
) -> None:
    for i in range(len(rows)):
        for line in range(depth):
            place = _place(values[i], line, width, bits)
            state[rows[i], place] += weights[i]
            for bit in range(bits):
                if values[i] >> bit & 1:
                    state[rows[i], place + 1 + bit] += weights[i]


@njit(types.void(I64_ROWS, READ_I64S, READ_I64_ROWS), nogil=True, cache=True)
def _add_rows(state: np.ndarray, rows: np.ndarray, others: np.ndarray) -> None:
    for i in range(len(rows)):
        for counter in range(state.shape[1]):
            state[rows[i], counter] += others[i, counter]


@njit(nogil=True)
def _decode(counters: np.ndarray, place: int, bits: int) -> int:
    """The value that holds more than half of a bucket's weight, if any does."""
    value = 0
    for bit in range(bits):
        if 2 * counters[place + 1 + bit] > counters[place]:
            value |= 1 << bit
    return value


@njit(nogil=True)
def _bound(counters: np.ndarray, value: int, depth: int, width: int, bits: int) -> int:
    """The least count that some bucket of the value leaves for it: never below the true one."""
    least = np.iinfo(np.int64).max
    for line in range(depth):
        place = _place(value, line, width, bits)
        total = counters[place]
        for bit in range(bits):
            ones = counters[place + 1 + bit]
            least = min(least, ones if value >> bit & 1 else total - ones)
    return least


@njit(types.void(READ_I64S, types.int64, types.int64, types.int64, I64S, I64S), nogil=True, cache=True)
def _candidates(
    counters: np.ndarray, depth: int, width: int, bits: int, values: np.ndarray, counts: np.ndarray
) -> None:
    """One candidate a bucket, with a count of zero where there is none."""
    for bucket in range(depth * width):
        place = bucket * (1 + bits)
        values[bucket] = _decode(counters, place, bits)
        belongs = counters[place] > 0 and _place(values[bucket], bucket // width, width, bits) == place
        counts[bucket] = _bound(counters, values[bucket], depth, width, bits) if belongs else 0


class HeavyHitters(Summary):
    """The most frequent integers below 2 ** bits, and an upper bound of their counts.

    Values fall to one of `width` buckets in each of `depth` lines. A bucket holds its total weight and, for each bit,
    the weight of the values with that bit set; a value with more than half of some bucket is read back from the bits.
    A key costs 8 * depth * width * (1 + bits) bytes: 4.4 KB for ports in two lines of 16.

    Source: Cormode and Muthukrishnan 2005, What's hot and what's not: tracking most frequent items dynamically.
    """

    def __init__(self, bits: int = 16, depth: int = 2, width: int = 16) -> None:
        if not (1 <= bits <= 62 and depth >= 1 and width >= 1):
            raise ValueError(f"no sketch of {bits} bits, {depth} lines and {width} buckets")
        super().__init__(np.zeros(depth * width * (1 + bits), dtype=np.int64))
        self._bits, self._depth, self._width = bits, depth, width

    def update(self, rows: NDArray[np.int64], values: NDArray[Any], weights: NDArray[np.int64] | None = None) -> None:
        """Count each value, integers [n], for its row, by its weight (int64 [n], none below zero) or once.

        Raises:
            ValueError: a value is negative or needs more bits than were declared.
        """
        values = as_integers(values)
        if len(values) and not 0 <= values.min() <= values.max() < 1 << self._bits:
            raise ValueError(f"values {values.min()} to {values.max()} are not of {self._bits} bits")
        weights = np.ones(len(values), dtype=np.int64) if weights is None else as_integers(weights)
        _count(self.state, self._checked(rows), values, weights, self._depth, self._width, self._bits)

    def _merge(self, rows: NDArray[np.int64], states: NDArray[np.int64]) -> None:
        _add_rows(self.state, rows, states)

    def read(self, rows: NDArray[np.int64], k: int = 1) -> NDArray[np.int64]:
        """The `k` most frequent values found and their counts, most frequent first: int64 [n, k, 2].

        Of equally frequent values the least comes first. Places without a value hold `NO_VALUE` and zero.
        """
        found = np.full((len(rows), k, 2), (NO_VALUE, 0), dtype=np.int64)
        for i, row in enumerate(rows):
            best = self._most_frequent(row, k)
            found[i, : len(best)] = best
        return found

    def _most_frequent(self, row: int, k: int) -> NDArray[np.int64]:
        values, counts = np.empty((2, self._depth * self._width), dtype=np.int64)
        _candidates(self.state[row], self._depth, self._width, self._bits, values, counts)
        pairs = np.unique(np.column_stack([values, counts])[counts > 0], axis=0)
        return pairs[np.lexsort([pairs[:, 0], -pairs[:, 1]])][:k]
