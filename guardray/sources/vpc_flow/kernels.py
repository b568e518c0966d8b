"""Flow log text to numbers, compiled: lines into fields, and one field of all records at a time into an array.

With all columns made of it, this is 1.3 to 1.7 times as fast on one core as pyarrow's CSV reader with typed columns,
which leaves addresses as text and refuses a whole file for one bad line.

A field is what stands between two blanks, and any byte up to 0x20 is a blank; those that end a line are ignored.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types

from guardray.stats.compiled import I64S

TEXT = types.Array(types.uint8, 1, "C", readonly=True)
BOUNDS = types.Array(types.int32, 2, "C")
STATES = types.Array(types.uint8, 1, "C")
IPV4 = types.Array(types.uint32, 1, "C")
CODES = types.Array(types.int32, 1, "C")
TRIPLE = types.UniTuple(types.int64, 3)  # type: ignore[no-untyped-call]

VALUE, NULL, OTHER = 0, 1, 2
"""What a field holds: a value, `-`, or something else."""

_NEWLINE, _BLANK, _DASH, _DOT, _ZERO, _A, _Z = np.frombuffer(b"\n -.0az", np.uint8).astype(np.int64).tolist()
_HEADER_WORD = np.frombuffer(b"srcaddr", np.uint8)
_MAX_DIGITS = 18


@njit(nogil=True)
def _byte(text: np.ndarray, position: int) -> Any:
    """Unsigned positions spare the test for negative ones, which would cost as much as all the rest."""
    return np.int64(text[np.uint64(position)])


@njit(nogil=True)
def _mentions_header_word(text: np.ndarray, start: int, end: int) -> bool:
    for i in range(start, end - _HEADER_WORD.size + 1):
        j = 0
        while j < _HEADER_WORD.size and text[i + j] == _HEADER_WORD[j]:
            j += 1
        if j == _HEADER_WORD.size:
            return True
    return False


@njit(TRIPLE(TEXT, types.int64, types.int64, types.int64, BOUNDS, types.int64, BOUNDS), nogil=True, cache=True)
def split(
    text: np.ndarray, start: int, vetted: int, probe: int, bounds: np.ndarray, row: int, refused: np.ndarray
) -> tuple[int, int, int]:
    """Cut lines into fields until the end, a line that may be a header, or until `refused` is full.

    Args:
        text: ends in a line end.
        start: of the first line.
        vetted: the line that starts here is not a header, whatever it looks like.
        probe: position of an address. A record has a digit there, except for some IPv6.
        bounds: int32 [capacity, fields + 1], filled from `row` on: the position before a line, then the blank after
            each of its fields. Field `f` is `text[bounds[row, f] + 1 : bounds[row, f + 1]]`.
        refused: int32 [capacity, 2], filled: start and end of lines with another number of fields.

    Returns:
        Start of the first line not taken, number of rows in `bounds`, number of lines in `refused`.
    """
    flat = bounds.reshape(-1)
    width = bounds.shape[1]
    first = row * width
    n_refused = 0
    while start < text.size and n_refused < refused.shape[0]:
        flat[first] = start - 1
        last = first
        end = start
        byte = 0
        while byte != _NEWLINE:
            byte = _byte(text, end)
            flat[np.uint64(last + 1)] = end
            last += byte <= _BLANK
            end += 1
        while last > first and flat[last - 1] == flat[last] - 1:
            last -= 1
        is_record = last - first == width - 1
        is_odd = not is_record or _A <= _byte(text, flat[first + probe] + 1) <= _Z
        if is_odd and start != vetted and _mentions_header_word(text, start, end):
            break
        if is_record:
            first += width
        elif last > first:
            refused[n_refused, 0] = start
            refused[n_refused, 1] = flat[last]
            n_refused += 1
        start = end
    return start, first // width, n_refused


@njit(types.uint8(TEXT, BOUNDS, types.int64, types.int64, I64S, STATES), nogil=True, cache=True)
def numbers(text: np.ndarray, bounds: np.ndarray, field: int, most: int, values: np.ndarray, states: np.ndarray) -> int:
    """Read whole numbers from 0 to `most` into `values`, and what each field holds into `states`: both [rows].

    Returns the greatest of the states.
    """
    worst: Any = np.uint8(VALUE)
    for row in range(bounds.shape[0]):
        start, end = bounds[row, field] + 1, bounds[row, field + 1]
        is_number = 0 < end - start <= _MAX_DIGITS
        value = 0
        for i in range(start, end):
            digit = _byte(text, i) - _ZERO
            is_number &= 0 <= digit <= 9
            value = value * 10 + digit
        state = np.uint8(VALUE)
        if not is_number or value > most:
            value = 0
            state = np.uint8(NULL if end - start == 1 and text[start] == _DASH else OTHER)
        values[row] = value
        states[row] = state
        worst = max(worst, state)
    return int(worst)


@njit(types.uint8(TEXT, BOUNDS, types.int64, IPV4, STATES), nogil=True, cache=True)
def addresses(text: np.ndarray, bounds: np.ndarray, field: int, values: np.ndarray, states: np.ndarray) -> int:
    """Read IPv4 addresses into `values`, and what each field holds into `states`: both [rows].

    Octets have no leading zeros, which some programs take for octal numbers. Returns the greatest of the states.
    """
    worst: Any = np.uint8(VALUE)
    for row in range(bounds.shape[0]):
        start, end = bounds[row, field] + 1, bounds[row, field + 1]
        address, octet, digits, dots = 0, 0, 0, 0
        is_address = end - start <= 15
        for i in range(start, end):
            byte = _byte(text, i)
            if byte == _DOT:
                is_address &= digits > 0
                address = address << 8 | octet
                octet, digits, dots = 0, 0, dots + 1
            else:
                is_address &= _ZERO <= byte <= _ZERO + 9 and (digits == 0 or octet > 0)
                octet = octet * 10 + byte - _ZERO
                digits += 1
                is_address &= octet <= 255
        state = np.uint8(VALUE)
        if not is_address or digits == 0 or dots != 3:
            state = np.uint8(NULL if end - start == 1 and text[start] == _DASH else OTHER)
        values[row] = address << 8 | octet if state == VALUE else 0
        states[row] = state
        worst = max(worst, state)
    return int(worst)


@njit(nogil=True)
def _is_value(text: np.ndarray, start: int, end: int, bounds: np.ndarray, row: int, field: int) -> bool:
    """Whether a piece of the text is what a record has in a field."""
    other = bounds[row, field] + 1
    if end - start != bounds[row, field + 1] - other:
        return False
    difference = 0
    for i in range(end - start):
        difference |= _byte(text, start + i) ^ _byte(text, other + i)
    return difference == 0


@njit(nogil=True)
def _hash(text: np.ndarray, start: int, end: int) -> Any:
    """Source: Fowler, Noll and Vo, FNV-1a of 32 bits; folded, since a table's size takes only its low bits."""
    state = np.uint32(2166136261)
    for i in range(start, end):
        state = (state ^ np.uint32(_byte(text, i))) * np.uint32(16777619)
    return np.int64(state ^ (state >> np.uint32(15)))


def table_size(rows: int) -> int:
    """Slots for `distinct`: a power of two that so many distinct values fill by half at most."""
    return 64 << max(0, (2 * rows - 1).bit_length() - 6)


@njit(
    types.int64(TEXT, BOUNDS, types.int64, types.int64, types.int64, CODES, CODES, CODES, types.int64),
    nogil=True,
    cache=True,
)
def distinct(
    text: np.ndarray,
    bounds: np.ndarray,
    field: int,
    first: int,
    last: int,
    codes: np.ndarray,
    firsts: np.ndarray,
    table: np.ndarray,
    count: int,
) -> int:
    """Number the distinct values of a field, in the order in which they appear.

    Args:
        first, last: rows to read, from and up to; earlier ones were read with the same arrays.
        codes: int32 [rows], filled: the number of each record's value.
        firsts: int32 [rows], filled: for each number the first row that has it.
        table: int32 [table_size(rows)], all -1 in the beginning.
        count: of distinct values in the rows before.

    Returns:
        How many distinct values there are now.
    """
    code = -1
    for row in range(first, last):
        start, end = bounds[row, field] + 1, bounds[row, field + 1]
        slot = -1
        # Most records repeat the value of the one before, which saves hashing it.
        while code < 0 or not _is_value(text, start, end, bounds, firsts[code], field):
            slot = (_hash(text, start, end) if slot < 0 else slot + 1) & (table.size - 1)
            code = table[slot]
            if code < 0:
                table[slot] = code = count
                firsts[count] = row
                count += 1
        codes[row] = code
    return count
