"""Distinct counts by linear counting: small, exact in how it merges, good up to a few times its bits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from guardray.stats.compiled import READ_I64S, READ_U64_ROWS, READ_U64S, U64_ROWS
from guardray.stats.hashing import as_words, mix
from guardray.stats.summary import Summary


@njit(types.void(U64_ROWS, READ_I64S, READ_U64S), nogil=True, cache=True)
def _set_bits(state: np.ndarray, rows: np.ndarray, words: np.ndarray) -> None:
    bits = np.uint64(64 * state.shape[1])
    for i in range(len(rows)):
        bit = (mix(words[i]) >> np.uint64(32)) * bits >> np.uint64(32)
        state[rows[i], bit >> np.uint64(6)] |= np.uint64(1) << (bit & np.uint64(63))


@njit(types.void(U64_ROWS, READ_I64S, READ_U64_ROWS), nogil=True, cache=True)
def _or_rows(state: np.ndarray, rows: np.ndarray, others: np.ndarray) -> None:
    for i in range(len(rows)):
        for word in range(state.shape[1]):
            state[rows[i], word] |= others[i, word]


class Bitmap(Summary):
    """Estimated count of distinct integers.

    With m bits of which z are zero the estimate is -m ln(z / m), rounded. A full bitmap reads as if half a bit were
    left, so that the estimate always grows with the bits that are set.

    Args:
        bits: size of a key's bitmap, a multiple of 64.

    Source: Whang, Vander-Zanden and Taylor 1990, A linear-time probabilistic counting algorithm.
    """

    def __init__(self, bits: int = 512) -> None:
        if bits <= 0 or bits % 64:
            raise ValueError(f"a bitmap has a multiple of 64 bits, not {bits}")
        super().__init__(np.zeros(bits // 64, dtype=np.uint64))
        zeros = [*range(bits, 0, -1), 0.5]
        self._estimates = np.array([round(-bits * math.log(zero / bits)) for zero in zeros], dtype=np.int64)

    def update(self, rows: NDArray[np.int64], values: NDArray[Any]) -> None:
        """Add each value, integers [n], to the set of its row."""
        _set_bits(self.state, self._checked(rows), as_words(values))

    def _merge(self, rows: NDArray[np.int64], states: NDArray[np.uint64]) -> None:
        _or_rows(self.state, rows, states)

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Int64 [n]: estimates."""
        bits_set: NDArray[np.int64] = np.bitwise_count(self.state[rows]).sum(axis=1, dtype=np.int64)
        return self._estimates[bits_set]
