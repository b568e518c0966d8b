"""Cells, which say where values lie in texts, to columns: compiled, and no Python object comes of a value.

A column's cells are int64 [n] as `scanner` makes them; `bases`, uint64 [n], is the address of the text of each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numba import njit, types
from numpy.typing import NDArray

from guardray.sources.cloudtrail.json_text import same_bytes
from guardray.sources.cloudtrail.scanner import TRUE
from guardray.sources.vpc_flow.kernels import table_size
from guardray.stats.compiled import I64S, READ_I64S, READ_U64S, U64_ROWS
from guardray.stats.intrinsics import copy_bytes, load_u8, load_u32, load_u64
from guardray.stats.xxh64 import INLINE, hash_bytes

Bases = NDArray[np.uint64]
Cells = NDArray[np.int64]

_START, _LENGTH = 32, 0xFFFFFFFF

_MOST_DIGITS = 18
"""Of a number that an int64 holds whatever its digits are."""

_NEITHER, _DIGIT, _SEPARATOR = 0, 1, 2
_KINDS = np.zeros(256, np.uint8)
_KINDS[list(b"0123456789abcdefABCDEF")] = _DIGIT
_KINDS[list(b".:")] = _SEPARATOR
"""What each byte is in an address."""


@njit(nogil=True)
def _address(base: np.uint64, cell: int) -> Any:
    return base + np.uint64(cell >> _START)


@njit(nogil=True)
def _length(cell: int) -> int:
    return (cell & _LENGTH) >> 1


@njit(types.boolean(types.Array(types.int64, 2, "A", readonly=True)), nogil=True, cache=True)
def have_escapes(cells: np.ndarray) -> Any:
    """Whether any text among all cells of records, int64 [fields, records], has escapes."""
    found = np.int64(0)
    for field in range(cells.shape[0]):
        for row in range(cells.shape[1]):
            cell = cells[field, row]
            found |= cell if cell >= 0 else 0
    return found & 1 > 0


@njit(types.int64(READ_I64S), nogil=True, cache=True)
def _bytes_beyond_views(cells: np.ndarray) -> int:
    total = 0
    for i in range(len(cells)):
        length = _length(cells[i])
        total += length if cells[i] >= 0 and length > INLINE else 0
    return total


@njit(nogil=True)
def _short(address: np.uint64, length: int) -> tuple[np.uint64, np.uint64]:
    """Up to 12 bytes in two words, the rest of these zero."""
    if length >= 8:
        last = load_u64(address + np.uint64(length - 8))
        high = last >> np.uint64(8 * (16 - length)) if length > 8 else np.uint64(0)
        return load_u64(address), high
    if length >= 4:
        last = load_u32(address + np.uint64(length - 4))
        return load_u32(address) | last << np.uint64(8 * (length - 4)), np.uint64(0)
    low = np.uint64(0)
    for i in range(length):
        low |= load_u8(address + np.uint64(i)) << np.uint64(8 * i)
    return low, np.uint64(0)


@njit(types.void(READ_U64S, READ_I64S, U64_ROWS, types.uint64), nogil=True, cache=True)
def _views(bases: np.ndarray, cells: np.ndarray, views: np.ndarray, data: np.uint64) -> None:
    """Arrow's string views, uint64 [n, 2], of one buffer at the address `data`, which takes the longer texts."""
    half = np.uint64(32)
    end = np.uint64(0)
    for i in range(len(cells)):
        if cells[i] < 0:
            views[i, 0] = views[i, 1] = 0
            continue
        address, length = _address(bases[i], cells[i]), _length(cells[i])
        if length <= INLINE:
            low, high = _short(address, length)
            views[i, 0] = np.uint64(length) | low << half
            views[i, 1] = low >> half | high << half
        else:
            copy_bytes(data + end, address, np.uint64(length))
            views[i, 0] = np.uint64(length) | load_u32(address) << half
            views[i, 1] = end << half
            end += np.uint64(length)


def texts(name: str, bases: Bases, cells: Cells) -> pl.Series:
    """The texts as String [n]; escapes in them are not looked at."""
    views = np.empty((len(cells), 2), np.uint64)
    data = np.empty(_bytes_beyond_views(cells), np.uint8)
    _views(bases, cells, views, np.uint64(data.ctypes.data))
    buffers = [_validity(cells), pa.py_buffer(views), pa.py_buffer(data)]
    return pl.Series(name, pa.Array.from_buffers(pa.string_view(), len(cells), buffers))


def flags(name: str, cells: Cells) -> pl.Series:
    """Boolean [n]."""
    buffers = [_validity(cells), pa.py_buffer(np.packbits(cells == TRUE, bitorder="little"))]
    return pl.Series(name, pa.Array.from_buffers(pa.bool_(), len(cells), buffers))


def _validity(cells: Cells) -> pa.Buffer | None:
    is_valid = cells >= 0
    return None if is_valid.all() else pa.py_buffer(np.packbits(is_valid, bitorder="little"))


@njit(types.void(READ_U64S, READ_I64S, I64S), nogil=True, cache=True)
def _integers(bases: np.ndarray, cells: np.ndarray, found: np.ndarray) -> None:
    for i in range(len(cells)):
        length = _length(cells[i]) if cells[i] >= 0 else 0
        found[i] = 0 if 0 < length <= _MOST_DIGITS else -1
        for j in range(length if found[i] == 0 else 0):
            digit = np.int64(load_u8(_address(bases[i], cells[i]) + np.uint64(j))) - ord("0")
            if not 0 <= digit <= 9:
                found[i] = -1
                break
            found[i] = found[i] * 10 + digit


def integers(name: str, bases: Bases, cells: Cells) -> pl.Series:
    """Whole numbers from 0 on as Int64 [n]; null for any other value."""
    found = np.empty(len(cells), np.int64)
    _integers(bases, cells, found)
    return pl.Series(name, pa.array(found, mask=found < 0))


@njit(nogil=True)
def _number(address: np.uint64, first: int, last: int) -> Any:
    """The decimal number in these bytes, below zero if it is none."""
    number: Any = 0
    for i in range(first, last):
        digit = np.int64(load_u8(address + np.uint64(i))) - ord("0")
        number = number * 10 + digit if 0 <= digit <= 9 else -1_000_000
    return number


@njit(nogil=True)
def _days(year: int, month: int, day: int) -> int:
    """Days since 1970. Source: Hinnant, chrono-compatible low-level date algorithms, `days_from_civil`."""
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


@njit(nogil=True)
def _midnight(address: np.uint64) -> int:
    """The date `2026-01-05T` in seconds since 1970, below zero if it is none."""
    year, month, day = _number(address, 0, 4), _number(address, 5, 7), _number(address, 8, 10)
    if year < 1970 or not 1 <= month <= 12 or day < 1 or load_u8(address + np.uint64(4)) != ord("-"):
        return -1
    days = _days(year, month, day)
    is_in_month = days < _days(year + month // 12, month % 12 + 1, 1)
    is_date = load_u8(address + np.uint64(7)) == ord("-") and load_u8(address + np.uint64(10)) == ord("T")
    return days * 86_400 if is_in_month and is_date else -1


@njit(types.int64(READ_U64S, READ_I64S, I64S), nogil=True, cache=True)
def _times(bases: np.ndarray, cells: np.ndarray, times: np.ndarray) -> int:
    others = 0
    # Most records are of the day of the one before.
    first, last, midnight = np.uint64(0), np.uint64(0), -1
    for i in range(len(cells)):
        times[i] = 0
        if cells[i] < 0 or _length(cells[i]) != 20:
            others += 1
            continue
        address = _address(bases[i], cells[i])
        if load_u64(address) != first or load_u32(address + np.uint64(7)) != last:
            first, last, midnight = load_u64(address), load_u32(address + np.uint64(7)), _midnight(address)
        hour, minute, second = _number(address, 11, 13), _number(address, 14, 16), _number(address, 17, 19)
        is_usual = load_u8(address + np.uint64(13)) == ord(":") and load_u8(address + np.uint64(16)) == ord(":")
        is_usual &= midnight >= 0 and load_u8(address + np.uint64(19)) == ord("Z")
        is_usual &= 0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= second <= 59
        if is_usual:
            times[i] = (midnight + hour * 3_600 + minute * 60 + second) * 1_000_000
        else:
            others += 1
    return others


def times(bases: Bases, cells: Cells) -> tuple[NDArray[np.int64], int]:
    """Times as AWS writes them, `2026-01-05T14:25:48Z`.

    Returns:
        Microseconds since 1970, int64 [n], 0 where one is written otherwise; and how many are.
    """
    found = np.empty(len(cells), np.int64)
    others = _times(bases, cells, found)
    return found, others


@njit(types.void(READ_U64S, READ_I64S, types.Array(types.boolean, 1, "C")), nogil=True, cache=True)
def _like_addresses(bases: np.ndarray, cells: np.ndarray, found: np.ndarray) -> None:
    for i in range(len(cells)):
        found[i] = False
        if cells[i] < 0:
            continue
        address, end = _address(bases[i], cells[i]), _length(cells[i])
        separator, j = end, 0
        while j < end:
            kind = _KINDS[load_u8(address + np.uint64(j))]
            if kind == _NEITHER:
                break
            separator = min(separator, j if kind == _SEPARATOR else end)
            j += 1
        found[i] = j == end and separator < end - 1


def like_addresses(bases: Bases, cells: Cells) -> NDArray[np.bool_]:
    """Which texts are an IP address, or what a publisher made of one: 08.1.250.216 is none, yet it is no name either.

    They have hexadecimal digits, points and colons alone, and one of these before their end.
    """
    found = np.empty(len(cells), np.bool_)
    _like_addresses(bases, cells, found)
    return found


@njit(nogil=True)
def _is_same(bases: np.ndarray, cells: np.ndarray, one: int, other: int) -> Any:
    length = _length(cells[one])
    if length != _length(cells[other]):
        return False
    return same_bytes(_address(bases[one], cells[one]), _address(bases[other], cells[other]), length)


@njit(types.int64(READ_U64S, READ_I64S, I64S, I64S, I64S), nogil=True, cache=True)
def _distinct(bases: np.ndarray, cells: np.ndarray, codes: np.ndarray, firsts: np.ndarray, slots: np.ndarray) -> int:
    count = 0
    for row in range(len(cells)):
        if cells[row] < 0:
            codes[row] = -1
            continue
        slot = np.int64(hash_bytes(_address(bases[row], cells[row]), np.uint64(_length(cells[row])))) & (len(slots) - 1)
        while slots[slot] >= 0 and not _is_same(bases, cells, firsts[slots[slot]], row):
            slot = (slot + 1) & (len(slots) - 1)
        if slots[slot] < 0:
            slots[slot] = count
            firsts[count] = row
            count += 1
        codes[row] = slots[slot]
    return count


def distinct(bases: Bases, cells: Cells) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number the distinct values in the order in which they appear.

    Returns:
        int64 [n], the number of each value, -1 for none; int64 [values], the first row that has each.
    """
    codes, firsts = np.empty(len(cells), np.int64), np.empty(len(cells), np.int64)
    slots = np.full(table_size(len(cells)), -1, np.int64)
    count = _distinct(bases, cells, codes, firsts, slots)
    return codes, firsts[:count]
