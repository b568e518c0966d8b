"""Mean and variance in which the past fades by event time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from guardray.stats.compiled import F64_ROWS, READ_F64_ROWS, READ_I64S
from guardray.stats.summary import Summary, as_integers

_NEVER = -np.inf


@njit(nogil=True)
def _combine(
    state: np.ndarray, row: int, tick: float, weight: float, mean: float, squares: float, decay: float
) -> None:
    """Add weighted moments that hold at `tick`, after both sides have faded to the later tick.

    Source: Chan, Golub and LeVeque 1979, Updating formulae and a pairwise algorithm for computing sample variances.
    """
    later = max(tick, state[row, 0])
    here = 0.0 if state[row, 0] == _NEVER else np.exp2((state[row, 0] - later) * decay)
    there = 0.0 if tick == _NEVER else np.exp2((tick - later) * decay)
    kept, added = state[row, 1] * here, weight * there
    total = kept + added
    if total > 0:
        gap = mean - state[row, 2]
        state[row, 2] = (kept * state[row, 2] + added * mean) / total
        state[row, 3] = (state[row, 3] * here + squares * there) + gap * gap * (kept * added / total)
    state[row, 0], state[row, 1] = later, total


@njit(types.int64(F64_ROWS, READ_I64S, READ_I64S, READ_I64S, types.float64), nogil=True, cache=True)
def _add_ticks(state: np.ndarray, rows: np.ndarray, ticks: np.ndarray, values: np.ndarray, decay: float) -> int:
    """Add values in the order given; stops at one that is not after its row's last tick and gives its place."""
    for i in range(len(rows)):
        if ticks[i] <= state[rows[i], 0]:
            return i
        _combine(state, rows[i], ticks[i], 1.0, np.float64(values[i]), 0.0, decay)
    return len(rows)


@njit(types.void(F64_ROWS, READ_I64S, READ_F64_ROWS, types.float64), nogil=True, cache=True)
def _combine_rows(state: np.ndarray, rows: np.ndarray, others: np.ndarray, decay: float) -> None:
    for i in range(len(rows)):
        tick, weight, mean, squares = others[i]
        _combine(state, rows[i], tick, weight, mean, squares, decay)


class DecayedMoments(Summary):
    """Count, mean and variance of a key's ticks, each tick weighing half as much after every half-life.

    A tick is a span of event time that has closed, such as a minute, and its value an exact integer: the merged count
    or sum of the span. How events were split, ordered and batched is thus forgotten before the first rounding: each
    key takes the same integers in the same order, one a tick, and its state is bit-equal. That is why a tick may be
    given only once and only after the ticks before it.

    Merging two states of one key (ticks seen in two places) is commutative, and otherwise equal up to rounding.

    Args:
        half_life: in ticks.
    """

    def __init__(self, half_life: float) -> None:
        if not half_life > 0:
            raise ValueError(f"a half-life is above zero, not {half_life}")
        super().__init__(np.array([_NEVER, 0.0, 0.0, 0.0]))
        self._decay = 1 / half_life

    def update(self, rows: NDArray[np.int64], ticks: NDArray[Any], values: NDArray[Any]) -> None:
        """Add closed ticks, in any order within the call.

        Args:
            rows: int64 [n].
            ticks: integers [n], number of the tick, below 2 ** 53.
            values: integers [n], what the tick came to.

        Raises:
            ValueError: a row gets a tick that is not after its last one; the ticks before that one were added.
        """
        order = np.argsort(ticks, kind="stable")
        rows, ticks, values = self._checked(rows)[order], as_integers(ticks)[order], as_integers(values)[order]
        done = _add_ticks(self.state, rows, ticks, values, self._decay)
        if done < len(rows):
            last = self.state[rows[done], 0]
            raise ValueError(f"row {rows[done]} is at tick {last:.0f} and cannot take tick {ticks[done]}")

    def _merge(self, rows: NDArray[np.int64], states: NDArray[np.float64]) -> None:
        _combine_rows(self.state, rows, states, self._decay)

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Weight of all ticks as of the last one, their mean and variance: float64 [n, 3]; zeros without ticks."""
        weight, mean, squares = self.state[rows, 1:].T
        variance = np.divide(squares, weight, out=np.zeros(len(weight)), where=weight > 0)
        return np.column_stack([weight, mean, variance])
