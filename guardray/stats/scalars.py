"""Summaries that are a number or two: count, sum, least, greatest, latest, first and last seen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from guardray.stats.compiled import I64_ROWS, READ_I64_ROWS, READ_I64S
from guardray.stats.summary import Summary, as_integers

LEAST = np.iinfo(np.int64).min
GREATEST = np.iinfo(np.int64).max


class Count(Summary):
    """Rows seen."""

    def __init__(self) -> None:
        super().__init__(np.zeros(1, dtype=np.int64))

    def update(self, rows: NDArray[np.int64]) -> None:
        """Count each of these rows, int64 [n], once for each time it is there."""
        np.add.at(self._rows.column, self._checked(rows), 1)

    def _merge(self, rows: NDArray[np.int64], states: NDArray[np.int64]) -> None:
        np.add.at(self._rows.column, rows, states[:, 0])

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        counts: NDArray[np.int64] = self.state[rows, 0]
        return counts


@njit(types.void(I64_ROWS, READ_I64S, READ_I64_ROWS), nogil=True, cache=True)
def _add_wide(state: np.ndarray, rows: np.ndarray, wide: np.ndarray) -> None:
    """Add 128-bit numbers: column 0 wraps as int64 does, column 1 counts the wraps, so that both are exact."""
    for i in range(len(rows)):
        row, value = rows[i], wide[i, 0]
        before = state[row, 0]
        # Unsigned, because the compiler may assume that signed sums never wrap.
        after = np.int64(np.uint64(before) + np.uint64(value))
        state[row, 0] = after
        state[row, 1] += wide[i, 1] + np.int64(value > 0 and after < before) - np.int64(value < 0 and after > before)


class Sum(Summary):
    """Sum of integers, exact within 128 bits; what does not fit int64 reads as the nearest that does."""

    def __init__(self) -> None:
        super().__init__(np.zeros(2, dtype=np.int64))

    def update(self, rows: NDArray[np.int64], values: NDArray[Any]) -> None:
        """Add each value, integers [n], to its row."""
        wide = np.zeros((len(values), 2), dtype=np.int64)
        wide[:, 0] = as_integers(values)
        _add_wide(self.state, self._checked(rows), wide)

    def _merge(self, rows: NDArray[np.int64], states: NDArray[np.int64]) -> None:
        _add_wide(self.state, rows, states)

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        low, wraps = self.state[rows].T
        return np.select([wraps > 0, wraps < 0], [GREATEST, LEAST], low)


class Min(Summary):
    """Least of integers. The greatest int64 stands for nothing seen."""

    def __init__(self) -> None:
        super().__init__(np.full(1, GREATEST))

    def update(self, rows: NDArray[np.int64], values: NDArray[Any]) -> None:
        """Look at each value, integers [n], for its row."""
        np.minimum.at(self._rows.column, self._checked(rows), as_integers(values))

    def _merge(self, rows: NDArray[np.int64], states: NDArray[np.int64]) -> None:
        np.minimum.at(self._rows.column, rows, states[:, 0])

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.ma.masked_equal(self.state[rows, 0], GREATEST)


class Max(Summary):
    """Greatest of integers. The least int64 stands for nothing seen."""

    def __init__(self) -> None:
        super().__init__(np.full(1, LEAST))

    def update(self, rows: NDArray[np.int64], values: NDArray[Any]) -> None:
        """Look at each value, integers [n], for its row."""
        np.maximum.at(self._rows.column, self._checked(rows), as_integers(values))

    def _merge(self, rows: NDArray[np.int64], states: NDArray[np.int64]) -> None:
        np.maximum.at(self._rows.column, rows, states[:, 0])

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.ma.masked_equal(self.state[rows, 0], LEAST)


@njit(types.void(I64_ROWS, READ_I64S, READ_I64S, READ_I64S), nogil=True, cache=True)
def _keep_latest(state: np.ndarray, rows: np.ndarray, times: np.ndarray, values: np.ndarray) -> None:
    for i in range(len(rows)):
        row, time, value = rows[i], times[i], values[i]
        if time > state[row, 0] or (time == state[row, 0] and value > state[row, 1]):
            state[row, 0] = time
            state[row, 1] = value


class Latest(Summary):
    """The integer with the greatest time; of those with one time, the greatest. Time is int64, above its least."""

    def __init__(self) -> None:
        super().__init__(np.full(2, LEAST))

    def update(self, rows: NDArray[np.int64], times: NDArray[Any], values: NDArray[Any]) -> None:
        """Look at each value and its time, integers [n], for its row."""
        _keep_latest(self.state, self._checked(rows), as_integers(times), as_integers(values))

    def _merge(self, rows: NDArray[np.int64], states: NDArray[np.int64]) -> None:
        _keep_latest(self.state, rows, states[:, 0].copy(), states[:, 1].copy())

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        times, values = self.state[rows].T
        return np.ma.masked_where(times == LEAST, values)


class FirstLast(Summary):
    """When a key was first and last seen."""

    def __init__(self) -> None:
        super().__init__(np.array([GREATEST, LEAST]))

    def update(self, rows: NDArray[np.int64], first: NDArray[Any], last: NDArray[Any]) -> None:
        """Widen each row's span to hold its `first` and its `last`, integers [n]."""
        rows = self._checked(rows)
        np.minimum.at(self.state[:, 0], rows, as_integers(first))
        np.maximum.at(self.state[:, 1], rows, as_integers(last))

    def _merge(self, rows: NDArray[np.int64], states: NDArray[np.int64]) -> None:
        self.update(rows, states[:, 0], states[:, 1])

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Int64 [n, 2]: first and last; the greatest and the least int64 where nothing was seen."""
        spans: NDArray[np.int64] = self.state[rows]
        return spans
