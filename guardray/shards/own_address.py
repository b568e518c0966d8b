"""Which address is the interface's own. A flow record names two and often does not say.

Every record of an interface has its own address at one end. So the addresses that are in all records are candidates:
an intersection, which merges in any order. Mostly one is left after two records with different peers.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from guardray.stats.compiled import I64_ROWS, I64S, READ_I64_ROWS, READ_I64S
from guardray.stats.scalars import GREATEST, LEAST
from guardray.stats.summary import Summary

NONE = -1
"""No address, or an unknown one; for a direction or an answer: unknown."""

ANY = -2
"""In place of both candidates: nothing was seen, any address may be the own one."""


@njit(nogil=True)
def _is_private(address: int) -> bool:
    """Source: RFC 1918, RFC 3927 (link-local), RFC 1122 (loopback), RFC 6598 (shared)."""
    first, first_two = address >> 24, address >> 16
    return first in (10, 127) or first_two in (0xC0A8, 0xA9FE) or address >> 20 == 0xAC1 or address >> 22 == 0x191


@njit(nogil=True)
def _only_private(one: int, other: int) -> int:
    """The private one of two known addresses where exactly one is: interfaces have private addresses."""
    if one == NONE or other == NONE or _is_private(one) == _is_private(other):
        return NONE
    return one if _is_private(one) else other


@njit(nogil=True)
def _intersect(state: np.ndarray, row: int, a: int, b: int) -> None:
    """Keep those candidates that are `a` or `b`; a <= b."""
    low, high = state[row, 0], state[row, 1]
    if low == ANY:
        state[row, 0], state[row, 1] = a, b
    elif a != ANY and (low != a or high != b):
        keeps_low, keeps_high = low in (a, b), high in (a, b)
        state[row, 0] = low if keeps_low else (high if keeps_high else NONE)
        state[row, 1] = high if keeps_high else (low if keeps_low else NONE)


@njit(nogil=True)
def _widen(state: np.ndarray, row: int, least: int, greatest: int) -> None:
    state[row, 2] = min(state[row, 2], least)
    state[row, 3] = max(state[row, 3], greatest)


@njit(types.void(I64_ROWS, READ_I64S, READ_I64S, READ_I64S, READ_I64S), nogil=True, cache=True)
def _learn(state: np.ndarray, rows: np.ndarray, src: np.ndarray, dst: np.ndarray, egress: np.ndarray) -> None:
    for i in range(len(rows)):
        if src[i] == NONE or dst[i] == NONE:
            continue
        if egress[i] == NONE:
            sure = _only_private(src[i], dst[i])
            _intersect(state, rows[i], min(src[i], dst[i]), max(src[i], dst[i]))
        else:
            sure = src[i] if egress[i] else dst[i]
            _intersect(state, rows[i], sure, sure)
        if sure != NONE:
            _widen(state, rows[i], sure, sure)


@njit(types.void(I64_ROWS, READ_I64S, READ_I64_ROWS), nogil=True, cache=True)
def _merge(state: np.ndarray, rows: np.ndarray, others: np.ndarray) -> None:
    for i in range(len(rows)):
        _intersect(state, rows[i], others[i, 0], others[i, 1])
        _widen(state, rows[i], others[i, 2], others[i, 3])


@njit(nogil=True)
def _own(state: np.ndarray, row: int, src: int, dst: int) -> int:
    """The own address in a connection, `NONE` where it cannot be told."""
    if row == NONE:
        return _only_private(src, dst)
    low, high, least, greatest = state[row]
    if low >= 0:
        return low if low == high else _only_private(low, high)
    src_is_sure = src != NONE and src in (least, greatest)
    dst_is_sure = dst != NONE and dst in (least, greatest)
    if src_is_sure == dst_is_sure:
        return _only_private(src, dst)
    return src if src_is_sure else dst


@njit(types.void(READ_I64_ROWS, READ_I64S, READ_I64S, READ_I64S, I64S), nogil=True, cache=True)
def _judge(state: np.ndarray, rows: np.ndarray, src: np.ndarray, dst: np.ndarray, answers: np.ndarray) -> None:
    for i in range(len(rows)):
        own = _own(state, rows[i], src[i], dst[i])
        at_src = src[i] == own or (src[i] == NONE and dst[i] != own)
        at_dst = dst[i] == own or (dst[i] == NONE and src[i] != own)
        answers[i] = NONE if own == NONE or at_src == at_dst else np.int64(at_src)


class OwnAddress(Summary):
    """The own IPv4 address of each interface, as far as its records tell.

    The state is the one or two candidates in ascending order, the same twice where one is left; then the least and the
    greatest of the addresses that were surely own, by the flow's direction or as the only private end. These two stand
    in where no address was in all records, as with secondary addresses.
    """

    def __init__(self) -> None:
        super().__init__(np.array([ANY, ANY, GREATEST, LEAST], dtype=np.int64))

    def update(
        self, rows: NDArray[np.int64], src: NDArray[np.int64], dst: NDArray[np.int64], egress: NDArray[np.int64]
    ) -> None:
        """Take in records.

        Args:
            rows: int64 [n].
            src: int64 [n], addresses as numbers, as `dst`; records without both say nothing.
            egress: int64 [n], 1 where the interface sent, 0 where it received, `NONE` where that is unknown.
        """
        _learn(self.state, self._checked(rows), src, dst, egress)

    def _merge(self, rows: NDArray[np.int64], states: NDArray[np.int64]) -> None:
        _merge(self.state, rows, states)

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The candidates, twice the same where one is left, both negative where none is: int64 [n, 2]."""
        candidates: NDArray[np.int64] = self.state[rows, :2]
        return candidates

    def is_actor(self, rows: NDArray[np.int64], src: NDArray[np.int64], dst: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Is the source address the own one: bool [n], masked where it cannot be told.

        Args:
            rows: int64 [n], `NONE` for an interface without records.
            src: int64 [n], addresses as numbers, `NONE` where unknown; as `dst`.
        """
        answers = np.empty(len(rows), dtype=np.int64)
        _judge(self.state, rows, src, dst, answers)
        return np.ma.MaskedArray(answers == 1, answers == NONE)
