"""JSON text to where the members of its records lie, compiled: no Python object comes of a record.

One pass finds them. What is passed over is checked as strictly as what is kept. A text that is no JSON, or not typed as
documented, is refused as a whole, for `careful` to say what is wrong. For texts and positions see `json_text`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import njit, types

from guardray.sources.cloudtrail.json_text import (
    COMMA,
    DEPTH,
    FALSE_END,
    LOW_BYTES,
    OPEN_ARRAY,
    OPEN_OBJECT,
    QUOTE,
    REFUSED,
    TO_CLOSING,
    TRUE_WORD,
    WORD_BYTES,
    after_colon,
    after_literal,
    after_space,
    after_value,
    byte_at,
    inlined,
    same_bytes,
    string_end,
    word_at,
)
from guardray.stats.compiled import I64_ROWS, READ_U64_ROWS

FULL = -2

NULL = -1
"""The cell of a member that is null or missing."""

TEXT, JSON, REPEATED, FLAG = 0, 1, 2, 3
"""What a member must be: a string or null; anything; anything, likely what another record has; true, false or null, be
it as a string.

The cell of a text is where it lies between its quotation marks, that of JSON where the value lies, that of a repeated
value where it lies first: position, length and whether it has escapes, in 32, 31 bits and one. The cell of a flag is
`TRUE` or `FALSE`.
"""
FALSE, TRUE = 0, 2

SERVICE, REQUEST, ADDITIONAL = 0, 1, 2
"""Numbers of the members that say which service was called, with what, and what is told beside."""

_SMALL = ord(" ")
"""The bit by which small letters differ from capital ones."""

_SEEN_LOG2 = 8
_TELLING = (32, 48, 64, 80, 96)
"""Where caller identities differ: behind their type and the beginning of the principal's id."""

_NAME_WORDS = 4
_SLOTS_LOG2 = 6
_SCATTER = 0x9E3779B97F4A7C15
_RECORDS = int.from_bytes(b'Records"', "little")


def name_table(names: Mapping[str, int], first: int = 0) -> np.ndarray:
    """Names to look up: uint64 [slots, 2 + words], number of the name plus 1, its kind and its bytes.

    Args:
        names: with their kinds, up to 32 bytes each; numbered in this order.
        first: number of the first.
    """
    table = np.zeros((1 << _SLOTS_LOG2, 2 + _NAME_WORDS), np.uint64)
    for number, (name, kind) in enumerate(names.items(), first):
        words = np.frombuffer(name.encode().ljust(WORD_BYTES * _NAME_WORDS, b"\0"), np.uint64)
        slot = ((int(words[0]) ^ len(name)) * _SCATTER % 2**64) >> (64 - _SLOTS_LOG2)
        while table[slot, 0]:
            slot = (slot + 1) % len(table)
        table[slot] = (number + 1, kind, *words)
    return table


@njit(nogil=True)
def _slot_of(base: np.uint64, start: int, length: int, size: int, names: np.ndarray) -> Any:
    """Where a table has the name that lies here, -1 if it has not."""
    if length > WORD_BYTES * _NAME_WORDS:
        return -1
    first = word_at(base, start, size) & LOW_BYTES[min(length, WORD_BYTES)]
    slot = np.int64((first ^ np.uint64(length)) * np.uint64(_SCATTER) >> np.uint64(64 - _SLOTS_LOG2))
    while names[slot, 0] != 0:
        is_same = names[slot, 2] == first
        for i in range(1, _NAME_WORDS):
            left = length - WORD_BYTES * i
            if left > 0:
                word = word_at(base, start + WORD_BYTES * i, size) & LOW_BYTES[min(left, WORD_BYTES)]
                is_same &= names[slot, 2 + i] == word
            else:
                is_same &= names[slot, 2 + i] == 0
        if is_same:
            return slot
        slot = (slot + 1) & ((1 << _SLOTS_LOG2) - 1)
    return -1


@inlined
def cell(start: int, end: int, has_escapes: int) -> int:
    return start << 32 | (end - start) << 1 | has_escapes


def place(packed: int) -> tuple[int, int]:
    """Position and length of a text, from its cell."""
    return packed >> 32, (packed & 0xFFFFFFFF) >> 1


@inlined
def _flag(word: np.uint64, length: int) -> int:
    """The cell of the texts true and True, false and False; `NULL` for any other."""
    word |= np.uint64(_SMALL)
    if length == 4 and word & LOW_BYTES[4] == np.uint64(TRUE_WORD):
        return TRUE
    is_false = word & LOW_BYTES[1] == ord("f") and (word >> np.uint64(8)) & LOW_BYTES[4] == np.uint64(FALSE_END)
    return FALSE if length == 5 and is_false else NULL


@njit(nogil=True)
def _repeated(base: np.uint64, start: int, size: int, stack: np.ndarray, seen: np.ndarray) -> tuple[int, int]:
    """Read an object that is likely one of those `seen`, which need not be read again."""
    digest = np.uint64(0)
    for offset in _TELLING:
        digest = (digest ^ word_at(base, start + offset, size)) * np.uint64(_SCATTER)
    slot = np.int64(digest >> np.uint64(64 - _SEEN_LOG2))
    known = seen[slot]
    if known >= 0:
        length = (known & 0xFFFFFFFF) >> 1
        known_at = base + np.uint64(known >> 32)
        if start + length <= size and same_bytes(base + np.uint64(start), known_at, length):
            return start + length, known
    end = after_value(base, start, size, stack)
    found = cell(start, end, 0)
    if end >= 0 and byte_at(base, start) == OPEN_OBJECT:
        seen[slot] = found
    return end, found


@njit(nogil=True)
def _member(base: np.uint64, start: int, size: int, kind: int, stack: np.ndarray, seen: np.ndarray) -> tuple[int, int]:
    """Read the value of a wanted member: the position after it, and its cell."""
    if kind == REPEATED and byte_at(base, start) == OPEN_OBJECT:
        return _repeated(base, start, size, stack, seen)
    if kind in (JSON, REPEATED):
        end = after_value(base, start, size, stack)
        is_null = end - start == 4 and byte_at(base, start) == ord("n")
        return end, NULL if is_null else cell(start, end, 0)
    if byte_at(base, start) == QUOTE:
        end, has_escapes = string_end(base, start + 1, size)
        if end < 0 or (kind == FLAG and has_escapes):
            return REFUSED, NULL
        if kind == FLAG:
            return end + 1, _flag(word_at(base, start + 1, size), end - start - 1)
        return end + 1, cell(start + 1, end, has_escapes)
    end = after_literal(base, start, size)
    first = byte_at(base, start)
    if first == ord("n"):
        return end, NULL
    if kind == FLAG and first == ord("t"):
        return end, TRUE
    if kind == FLAG and first == ord("f"):
        return end, FALSE
    return REFUSED, NULL


@njit(nogil=True)
def _members(
    base: np.uint64,
    position: int,
    size: int,
    names: np.ndarray,
    cells: np.ndarray,
    row: int,
    stack: np.ndarray,
    seen: np.ndarray,
) -> int:
    """Read the object that begins here, and the members that `names` has into their cells.

    No writer escapes the letters of a name, so that one with escapes is none of these.
    """
    if byte_at(base, position) != OPEN_OBJECT:
        return REFUSED
    position = after_space(base, position + 1)
    if byte_at(base, position) == OPEN_OBJECT + TO_CLOSING:
        return position + 1
    while byte_at(base, position) == QUOTE:
        start = position + 1
        end, _ = string_end(base, start, size)
        if end < 0:
            return REFUSED
        position = after_colon(base, end + 1)
        if position < 0:
            return REFUSED
        slot = _slot_of(base, start, end - start, size, names)
        if slot < 0:
            position = after_value(base, position, size, stack)
        else:
            position, found = _member(base, position, size, int(names[slot, 1]), stack, seen)
            cells[np.int64(names[slot, 0]) - 1, row] = found
        if position < 0:
            return REFUSED
        position = after_space(base, position)
        byte = byte_at(base, position)
        if byte == OPEN_OBJECT + TO_CLOSING:
            return position + 1
        if byte != COMMA:
            return REFUSED
        position = after_space(base, position + 1)
    return REFUSED


@njit(nogil=True)
def _inner_members(
    base: np.uint64,
    outer: int,
    size: int,
    names: np.ndarray,
    cells: np.ndarray,
    row: int,
    stack: np.ndarray,
    seen: np.ndarray,
) -> None:
    """Read members of the object in the cell `outer`, if one is there and none of them is of another kind."""
    if outer >= 0 and _members(base, outer >> 32, size, names, cells, row, stack, seen) < 0:
        for slot in range(names.shape[0]):
            if names[slot, 0] != 0:
                cells[np.int64(names[slot, 0]) - 1, row] = NULL


@njit(nogil=True)
def _record(
    base: np.uint64,
    position: int,
    size: int,
    names: np.ndarray,
    services: np.ndarray,
    parameters: np.ndarray,
    amounts: np.ndarray,
    cells: np.ndarray,
    row: int,
    stack: np.ndarray,
    seen: np.ndarray,
) -> int:
    for field in range(cells.shape[0]):
        cells[field, row] = NULL
    position = _members(base, position, size, names, cells, row, stack, seen)
    service = cells[SERVICE, row]
    if position < 0 or service < 0:
        return position
    if _slot_of(base, service >> 32, (service & 0xFFFFFFFF) >> 1, size, services) >= 0:
        _inner_members(base, cells[REQUEST, row], size, parameters, cells, row, stack, seen)
        _inner_members(base, cells[ADDITIONAL, row], size, amounts, cells, row, stack, seen)
    return position


@njit(nogil=True)
def _first_of_file(base: np.uint64, position: int, size: int) -> Any:
    """The first record of the log file that begins here, or the bracket that ends it; `REFUSED` where none begins."""
    position = after_space(base, position + 1)
    name = word_at(base, position + 1, size)
    if byte_at(base, position) != QUOTE or name != np.uint64(_RECORDS):
        return REFUSED
    position = after_colon(base, position + WORD_BYTES + 1)
    if position < 0 or byte_at(base, position) != OPEN_ARRAY:
        return REFUSED
    return after_space(base, position + 1)


@njit(nogil=True)
def _after_record(base: np.uint64, position: int) -> int:
    """The next record of a log file, or the bracket that ends it."""
    position = after_space(base, position)
    byte = byte_at(base, position)
    if byte == OPEN_ARRAY + TO_CLOSING:
        return position
    position = after_space(base, position + 1)
    return position if byte == COMMA and byte_at(base, position) == OPEN_OBJECT else REFUSED


@njit(
    types.int64(
        types.uint64,
        types.int64,
        READ_U64_ROWS,
        READ_U64_ROWS,
        READ_U64_ROWS,
        READ_U64_ROWS,
        I64_ROWS,
    ),
    nogil=True,
    cache=True,
)
def scan(
    base: np.uint64,
    size: int,
    names: np.ndarray,
    services: np.ndarray,
    parameters: np.ndarray,
    amounts: np.ndarray,
    cells: np.ndarray,
) -> int:
    """Find the members of all records in a text: log files, or records alone, one after another.

    Args:
        base: address of the text.
        size: of the text, below 2**31.
        names: of a record's members, from `name_table`, with SERVICE, REQUEST and ADDITIONAL at their numbers.
        services: names of services whose requests are looked into, and what is told beside.
        parameters: names of the members of these requests.
        amounts: names of the members of what is told beside.
        cells: int64 [fields, capacity], filled: what the names, but for `services`, number, for each record.

    Returns:
        How many records there are, `FULL` if they are more than the capacity, or `REFUSED`.
    """
    stack, seen = np.empty(DEPTH, np.uint8), np.full(1 << _SEEN_LOG2, NULL)
    row, position = 0, after_space(base, 0)
    while 0 <= position < size:
        first = _first_of_file(base, position, size)
        is_file = first >= 0
        position = first if is_file else position
        while not is_file or byte_at(base, position) != OPEN_ARRAY + TO_CLOSING:
            if row == cells.shape[1]:
                return FULL
            position = _record(base, position, size, names, services, parameters, amounts, cells, row, stack, seen)
            if position < 0:
                return REFUSED
            row += 1
            if not is_file:
                break
            position = _after_record(base, position)
            if position < 0:
                return REFUSED
        if is_file:
            position = after_space(base, position + 1)
            if byte_at(base, position) != OPEN_OBJECT + TO_CLOSING:
                return REFUSED
            position += 1
        position = after_space(base, position)
    return row
