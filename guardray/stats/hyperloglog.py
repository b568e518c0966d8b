"""Distinct counts of any size in a fixed number of bytes, exact in how they merge."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from guardray.stats.compiled import READ_I64S, READ_U8_ROWS, READ_U64S, U8_ROWS
from guardray.stats.hashing import as_words, mix
from guardray.stats.summary import Summary

_HASH_BITS = 64


@njit(nogil=True)
def _rank(word: np.uint64, precision: np.uint64) -> int:
    """Leading zeros of the bits that do not choose the register, plus one."""
    rest = word << precision
    rank = 1
    while rank <= 64 - precision and rest >> np.uint64(63) == 0:
        rest <<= np.uint64(1)
        rank += 1
    return rank


@njit(types.void(U8_ROWS, READ_I64S, READ_U64S, types.uint64), nogil=True, cache=True)
def _raise_registers(state: np.ndarray, rows: np.ndarray, words: np.ndarray, precision: np.uint64) -> None:
    for i in range(len(rows)):
        word = mix(words[i])
        register = word >> (np.uint64(64) - precision)
        state[rows[i], register] = max(state[rows[i], register], np.uint8(_rank(word, precision)))


@njit(types.void(U8_ROWS, READ_I64S, READ_U8_ROWS), nogil=True, cache=True)
def _max_rows(state: np.ndarray, rows: np.ndarray, others: np.ndarray) -> None:
    for i in range(len(rows)):
        for register in range(state.shape[1]):
            state[rows[i], register] = max(state[rows[i], register], others[i, register])


class HyperLogLog(Summary):
    """Estimated count of distinct integers, with a standard error of 1.04 / sqrt(2 ** precision).

    A register of one byte keeps the greatest rank of the hashes that fell to it, so that merging is the maximum.

    Args:
        precision: base-two logarithm of the number of registers, 4 to 16.

    Source: Flajolet, Fusy, Gandouet and Meunier 2007, HyperLogLog; the estimator is algorithm 6 of Ertl 2017, New
    cardinality estimation algorithms for HyperLogLog sketches, which needs no tables and no change of formula.
    """

    def __init__(self, precision: int = 10) -> None:
        if not 4 <= precision <= 16:
            raise ValueError(f"precision is 4 to 16, not {precision}")
        super().__init__(np.zeros(1 << precision, dtype=np.uint8))
        self._precision = precision

    def update(self, rows: NDArray[np.int64], values: NDArray[Any]) -> None:
        """Add each value, integers [n], to the set of its row."""
        _raise_registers(self.state, self._checked(rows), as_words(values), np.uint64(self._precision))

    def _merge(self, rows: NDArray[np.int64], states: NDArray[np.uint8]) -> None:
        _max_rows(self.state, rows, states)

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Float64 [n]: estimates."""
        highest = _HASH_BITS - self._precision + 1
        return np.array([_estimate(np.bincount(row, minlength=highest + 1)) for row in self.state[rows]], dtype=float)


def _estimate(registers_of_rank: NDArray[np.int64]) -> float:
    """The estimate from how many registers hold each rank, 0 to the highest."""
    counts: list[int] = registers_of_rank.tolist()
    *lower, highest = counts
    registers = sum(lower) + highest
    total = registers * _tau(1 - highest / registers)
    for count in reversed(lower[1:]):
        total = 0.5 * (total + count)
    total += registers * _sigma(lower[0] / registers)
    return registers * registers / (2 * math.log(2) * total)


def _sigma(x: float) -> float:
    """What the empty registers stand for: x + sum over k >= 1 of x ** (2 ** k) * 2 ** (k - 1)."""
    if x == 1:
        return math.inf
    total, step, previous = x, 1.0, -1.0
    while total != previous:
        x *= x
        previous = total
        total += x * step
        step += step
    return total


def _tau(x: float) -> float:
    """What the full registers stand for: (1 - x - sum over k >= 1 of (1 - x ** (2 ** -k)) ** 2 * 2 ** -k) / 3."""
    if x in (0, 1):
        return 0.0
    total, step, previous = 1 - x, 1.0, -1.0
    while total != previous:
        x = math.sqrt(x)
        previous = total
        step *= 0.5
        total -= (1 - x) ** 2 * step
    return total / 3
