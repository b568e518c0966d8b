"""JSON text to where the members of its records lie, compiled: no Python object comes of a record.

One pass finds them, and strings are crossed 32 bytes at a time. What is passed over is checked as strictly as what is
kept. A text that is no JSON, or not typed as documented, is refused as a whole, for `careful` to say what is wrong.

A text is a `bytes` object, whose address comes with its size: the zero that Python puts behind it ends every loop.
Positions in it are int64, and functions give the one after what they read.

Source: RFC 8259, The JavaScript Object Notation (JSON) data interchange format.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import njit, types

from guardray.stats.compiled import I64_ROWS, READ_U64_ROWS
from guardray.stats.intrinsics import load_u8, load_u64, string_stops, trailing_zeros

REFUSED, FULL = -1, -2

NULL = -1
"""The cell of a member that is null or missing."""

TEXT, JSON, REPEATED, FLAG = 0, 1, 2, 3
"""What a member must be: a string or null; anything; anything, likely what another record has; true, false or null, be
it as a string.

The cell of a text is where it lies between its quotation marks, that of JSON where the value lies, that of a repeated
value where it lies first: position, length and
whether it has escapes, in 32, 31 bits and one. The cell of a flag is `TRUE` or `FALSE`.
"""
FALSE, TRUE = 0, 2

SERVICE, REQUEST = 0, 1
"""Numbers of the members that say which service was called, and with what."""

DEPTH = 1024
"""Values nested deeper are refused: Python's own limit, which the careful way has, is lower."""

_QUOTE, _BACKSLASH, _COMMA, _COLON, _PLUS, _MINUS, _DOT, _ZERO, _NINE, _SMALL_E, _SMALL_U = b'"\\,:+-.09eu'
_SPACE, _TAB, _NEWLINE, _RETURN = b" \t\n\r"
_OPEN_OBJECT, _OPEN_ARRAY = b"{["
_TO_CLOSING = 2
"""From `{` to `}` as from `[` to `]`."""
_ESCAPABLE = np.zeros(256, np.bool_)
_ESCAPABLE[list(b'"\\/bfnrt')] = True
_HEX = np.full(256, -(1 << 16))
_HEX[list(b"0123456789abcdef")] = _HEX[list(b"0123456789ABCDEF")] = np.arange(16)
_HIGH_SURROGATE, _LOW_SURROGATE = 0xD800 >> 10, 0xDC00 >> 10

_LANES, _WORD = 32, 8
_LOW_BYTES = np.array([(1 << 8 * length) - 1 for length in range(_WORD + 1)], np.uint64)
_TRUE, _FALSE_END, _NULL, _CAPITAL = (int.from_bytes(word, "little") for word in (b"true", b"alse", b"null", b" "))

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
        words = np.frombuffer(name.encode().ljust(_WORD * _NAME_WORDS, b"\0"), np.uint64)
        slot = ((int(words[0]) ^ len(name)) * _SCATTER % 2**64) >> (64 - _SLOTS_LOG2)
        while table[slot, 0]:
            slot = (slot + 1) % len(table)
        table[slot] = (number + 1, kind, *words)
    return table


def _inlined(function: Any) -> Any:
    """Compile into whatever calls it, which makes the scan a twentieth faster."""
    return njit(nogil=True, forceinline=True)(function)


@_inlined
def _byte(base: np.uint64, position: int) -> Any:
    return np.int64(load_u8(base + np.uint64(position)))


@njit(nogil=True)
def _last_word(base: np.uint64, position: int, size: int) -> Any:
    word = np.uint64(0)
    for i in range(size - position):
        word |= load_u8(base + np.uint64(position + i)) << np.uint64(8 * i)
    return word


@_inlined
def _word(base: np.uint64, position: int, size: int) -> Any:
    """Eight bytes; beyond the end of the text they are zero."""
    is_whole = position + _WORD <= size
    return load_u64(base + np.uint64(position)) if is_whole else _last_word(base, position, size)


@njit(nogil=True)
def _last_stops(base: np.uint64, position: int, size: int) -> Any:
    stops = np.uint64(0)
    for i in range(size - position + 1):
        byte = _byte(base, position + i)
        stops |= np.uint64(byte in (_QUOTE, _BACKSLASH) or byte < _SPACE) << np.uint64(i)
    return stops


@_inlined
def _stops(base: np.uint64, position: int, size: int) -> Any:
    """`string_stops` of the next 32 bytes, or of those that the text has left and the zero after it."""
    is_whole = position + _LANES <= size
    return string_stops(base + np.uint64(position)) if is_whole else _last_stops(base, position, size)


@_inlined
def _lowest(stops: np.uint64) -> Any:
    return np.int64(trailing_zeros(stops))


@_inlined
def _after_space(base: np.uint64, position: int) -> int:
    byte = _byte(base, position)
    while byte in (_SPACE, _NEWLINE, _TAB, _RETURN):
        position += 1
        byte = _byte(base, position)
    return position


@njit(nogil=True)
def _unit(base: np.uint64, position: int) -> Any:
    """The UTF-16 code unit that the escape `\\uXXXX` here stands for, below zero if there is none."""
    if _byte(base, position) != _BACKSLASH or _byte(base, position + 1) != _SMALL_U:
        return -1
    unit = 0
    for i in range(2, 6):
        digit = int(_HEX[_byte(base, position + i)])
        if digit < 0:
            return -1
        unit = unit << 4 | digit
    return unit


@njit(nogil=True)
def _after_escape(base: np.uint64, position: int) -> int:
    """Half of a surrogate pair is no character, and refused."""
    if _ESCAPABLE[_byte(base, position + 1)]:
        return position + 2
    unit = _unit(base, position)
    if unit >> 10 == _HIGH_SURROGATE:
        position += 6
        return position + 6 if _unit(base, position) >> 10 == _LOW_SURROGATE else REFUSED
    return REFUSED if unit < 0 or unit >> 10 == _LOW_SURROGATE else position + 6


@_inlined
def _string_end(base: np.uint64, position: int, size: int) -> tuple[int, int]:
    """Where the string that begins here has its closing quotation mark, and 1 if it has escapes, else 0."""
    has_escapes = 0
    while True:
        stops = _stops(base, position, size)
        if stops == 0:
            position += _LANES
            continue
        position += _lowest(stops)
        byte = _byte(base, position)
        if byte == _QUOTE:
            return position, has_escapes
        if byte != _BACKSLASH:
            return REFUSED, 0
        has_escapes = 1
        position = _after_escape(base, position)
        if position < 0:
            return REFUSED, 0


@njit(nogil=True)
def _after_digits(base: np.uint64, position: int) -> int:
    """After one digit or more."""
    end = position
    while _ZERO <= _byte(base, end) <= _NINE:
        end += 1
    return end if end > position else REFUSED


@njit(nogil=True)
def _after_number(base: np.uint64, position: int) -> int:
    if _byte(base, position) == _MINUS:
        position += 1
    position = position + 1 if _byte(base, position) == _ZERO else _after_digits(base, position)
    if position >= 0 and _byte(base, position) == _DOT:
        position = _after_digits(base, position + 1)
    if position >= 0 and _byte(base, position) | _SPACE == _SMALL_E:
        sign = _byte(base, position + 1)
        position = _after_digits(base, position + (2 if sign in (_PLUS, _MINUS) else 1))
    return position


@njit(nogil=True)
def _after_literal(base: np.uint64, position: int, size: int) -> int:
    """After true, false, null or a number. What follows at once is left to whoever wants a comma or an end there."""
    word = _word(base, position, size)
    first = word & _LOW_BYTES[4]
    if first == np.uint64(_TRUE) or first == np.uint64(_NULL):
        return position + 4
    if _byte(base, position) == ord("f"):
        return position + 5 if (word >> np.uint64(8)) & _LOW_BYTES[4] == np.uint64(_FALSE_END) else REFUSED
    return _after_number(base, position)


@_inlined
def _after_colon(base: np.uint64, position: int) -> int:
    """Where the value begins after a name that ends here."""
    position = _after_space(base, position)
    return _after_space(base, position + 1) if _byte(base, position) == _COLON else REFUSED


@_inlined
def _after_name(base: np.uint64, position: int, size: int) -> int:
    if _byte(base, position) != _QUOTE:
        return REFUSED
    end, _ = _string_end(base, position + 1, size)
    return REFUSED if end < 0 else _after_colon(base, end + 1)


@_inlined
def _after_scalar(base: np.uint64, position: int, size: int) -> int:
    if _byte(base, position) != _QUOTE:
        return _after_literal(base, position, size)
    end, _ = _string_end(base, position + 1, size)
    return REFUSED if end < 0 else end + 1


@_inlined
def _next_value(base: np.uint64, position: int, size: int, bracket: int) -> int:
    """Where a value begins within this bracket, after what opened it or parted it from the one before."""
    position = _after_space(base, position)
    return _after_name(base, position, size) if bracket == _OPEN_OBJECT else position


@_inlined
def _after_closings(base: np.uint64, position: int, stack: np.ndarray, depth: int) -> tuple[int, int]:
    """After the brackets that close here, and how many are still open."""
    while depth > 0:
        position = _after_space(base, position)
        if _byte(base, position) != stack[depth - 1] + _TO_CLOSING:
            break
        position += 1
        depth -= 1
    return position, depth


@njit(nogil=True)
def _after_value(base: np.uint64, position: int, size: int, stack: np.ndarray) -> int:
    """After any value. `stack`, uint8 [DEPTH], is room for the brackets that are open."""
    depth = 0
    while position >= 0:
        byte = _byte(base, position)
        if byte in (_OPEN_OBJECT, _OPEN_ARRAY):
            if depth == DEPTH:
                return REFUSED
            stack[depth] = byte
            depth += 1
            position = _after_space(base, position + 1)
            if _byte(base, position) != byte + _TO_CLOSING:
                position = _next_value(base, position, size, byte)
                continue
        else:
            position = _after_scalar(base, position, size)
            if position < 0:
                return REFUSED
        position, depth = _after_closings(base, position, stack, depth)
        if depth == 0:
            return position
        if _byte(base, position) != _COMMA:
            return REFUSED
        position = _next_value(base, position + 1, size, stack[depth - 1])
    return REFUSED


@njit(nogil=True)
def _slot_of(base: np.uint64, start: int, length: int, size: int, names: np.ndarray) -> Any:
    """Where a table has the name that lies here, -1 if it has not."""
    if length > _WORD * _NAME_WORDS:
        return -1
    first = _word(base, start, size) & _LOW_BYTES[min(length, _WORD)]
    slot = np.int64((first ^ np.uint64(length)) * np.uint64(_SCATTER) >> np.uint64(64 - _SLOTS_LOG2))
    while names[slot, 0] != 0:
        is_same = names[slot, 2] == first
        for i in range(1, _NAME_WORDS):
            left = length - _WORD * i
            if left > 0:
                word = _word(base, start + _WORD * i, size) & _LOW_BYTES[min(left, _WORD)]
                is_same &= names[slot, 2 + i] == word
            else:
                is_same &= names[slot, 2 + i] == 0
        if is_same:
            return slot
        slot = (slot + 1) & ((1 << _SLOTS_LOG2) - 1)
    return -1


@_inlined
def cell(start: int, end: int, has_escapes: int) -> int:
    return start << 32 | (end - start) << 1 | has_escapes


def place(packed: int) -> tuple[int, int]:
    """Position and length of a text, from its cell."""
    return packed >> 32, (packed & 0xFFFFFFFF) >> 1


@_inlined
def _flag(word: np.uint64, length: int) -> int:
    """The cell of the texts true and True, false and False; `NULL` for any other."""
    word |= np.uint64(_CAPITAL)
    if length == 4 and word & _LOW_BYTES[4] == np.uint64(_TRUE):
        return TRUE
    is_false = word & _LOW_BYTES[1] == ord("f") and (word >> np.uint64(8)) & _LOW_BYTES[4] == np.uint64(_FALSE_END)
    return FALSE if length == 5 and is_false else NULL


@njit(nogil=True)
def same_bytes(one: np.uint64, other: np.uint64, length: int) -> Any:
    """Whether so many bytes at two addresses are equal."""
    # Without a way out of the loops, the compiler compares several words at once.
    difference = np.uint64(0)
    whole = length // _WORD * _WORD
    for i in range(0, whole, _WORD):
        difference |= load_u64(one + np.uint64(i)) ^ load_u64(other + np.uint64(i))
    for i in range(whole, length):
        difference |= load_u8(one + np.uint64(i)) ^ load_u8(other + np.uint64(i))
    return difference == 0


@njit(nogil=True)
def _repeated(base: np.uint64, start: int, size: int, stack: np.ndarray, seen: np.ndarray) -> tuple[int, int]:
    """Read an object that is likely one of those `seen`, which need not be read again."""
    digest = np.uint64(0)
    for offset in _TELLING:
        digest = (digest ^ _word(base, start + offset, size)) * np.uint64(_SCATTER)
    slot = np.int64(digest >> np.uint64(64 - _SEEN_LOG2))
    known = seen[slot]
    if known >= 0:
        length = (known & 0xFFFFFFFF) >> 1
        known_at = base + np.uint64(known >> 32)
        if start + length <= size and same_bytes(base + np.uint64(start), known_at, length):
            return start + length, known
    end = _after_value(base, start, size, stack)
    found = cell(start, end, 0)
    if end >= 0 and _byte(base, start) == _OPEN_OBJECT:
        seen[slot] = found
    return end, found


@njit(nogil=True)
def _member(base: np.uint64, start: int, size: int, kind: int, stack: np.ndarray, seen: np.ndarray) -> tuple[int, int]:
    """Read the value of a wanted member: the position after it, and its cell."""
    if kind == REPEATED and _byte(base, start) == _OPEN_OBJECT:
        return _repeated(base, start, size, stack, seen)
    if kind in (JSON, REPEATED):
        end = _after_value(base, start, size, stack)
        is_null = end - start == 4 and _byte(base, start) == ord("n")
        return end, NULL if is_null else cell(start, end, 0)
    if _byte(base, start) == _QUOTE:
        end, has_escapes = _string_end(base, start + 1, size)
        if end < 0 or (kind == FLAG and has_escapes):
            return REFUSED, NULL
        if kind == FLAG:
            return end + 1, _flag(_word(base, start + 1, size), end - start - 1)
        return end + 1, cell(start + 1, end, has_escapes)
    end = _after_literal(base, start, size)
    first = _byte(base, start)
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
    if _byte(base, position) != _OPEN_OBJECT:
        return REFUSED
    position = _after_space(base, position + 1)
    if _byte(base, position) == _OPEN_OBJECT + _TO_CLOSING:
        return position + 1
    while _byte(base, position) == _QUOTE:
        start = position + 1
        end, _ = _string_end(base, start, size)
        if end < 0:
            return REFUSED
        position = _after_colon(base, end + 1)
        if position < 0:
            return REFUSED
        slot = _slot_of(base, start, end - start, size, names)
        if slot < 0:
            position = _after_value(base, position, size, stack)
        else:
            position, found = _member(base, position, size, int(names[slot, 1]), stack, seen)
            cells[np.int64(names[slot, 0]) - 1, row] = found
        if position < 0:
            return REFUSED
        position = _after_space(base, position)
        byte = _byte(base, position)
        if byte == _OPEN_OBJECT + _TO_CLOSING:
            return position + 1
        if byte != _COMMA:
            return REFUSED
        position = _after_space(base, position + 1)
    return REFUSED


@njit(nogil=True)
def _record(
    base: np.uint64,
    position: int,
    size: int,
    names: np.ndarray,
    services: np.ndarray,
    parameters: np.ndarray,
    cells: np.ndarray,
    row: int,
    stack: np.ndarray,
    seen: np.ndarray,
) -> int:
    for field in range(cells.shape[0]):
        cells[field, row] = NULL
    position = _members(base, position, size, names, cells, row, stack, seen)
    service, request = cells[SERVICE, row], cells[REQUEST, row]
    if position < 0 or service < 0 or request < 0:
        return position
    is_looked_into = _slot_of(base, service >> 32, (service & 0xFFFFFFFF) >> 1, size, services) >= 0
    if is_looked_into and _members(base, request >> 32, size, parameters, cells, row, stack, seen) < 0:
        # A name is no text, or there is no object: what there is stays readable in the request.
        for slot in range(parameters.shape[0]):
            if parameters[slot, 0] != 0:
                cells[np.int64(parameters[slot, 0]) - 1, row] = NULL
    return position


@njit(nogil=True)
def _first_of_file(base: np.uint64, position: int, size: int) -> Any:
    """The first record of the log file that begins here, or the bracket that ends it; `REFUSED` where none begins."""
    position = _after_space(base, position + 1)
    name = _word(base, position + 1, size)
    if _byte(base, position) != _QUOTE or name != np.uint64(_RECORDS):
        return REFUSED
    position = _after_colon(base, position + _WORD + 1)
    if position < 0 or _byte(base, position) != _OPEN_ARRAY:
        return REFUSED
    return _after_space(base, position + 1)


@njit(nogil=True)
def _after_record(base: np.uint64, position: int) -> int:
    """The next record of a log file, or the bracket that ends it."""
    position = _after_space(base, position)
    byte = _byte(base, position)
    if byte == _OPEN_ARRAY + _TO_CLOSING:
        return position
    position = _after_space(base, position + 1)
    return position if byte == _COMMA and _byte(base, position) == _OPEN_OBJECT else REFUSED


@njit(
    types.int64(
        types.uint64,
        types.int64,
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
    cells: np.ndarray,
) -> int:
    """Find the members of all records in a text: log files, or records alone, one after another.

    Args:
        base: address of the text.
        size: of the text, below 2**31.
        names: of a record's members, from `name_table`, with SERVICE and REQUEST at their numbers.
        services: names of services whose requests are looked into.
        parameters: names of the members of these requests.
        cells: int64 [fields, capacity], filled: what `names` and `parameters` number, for each record.

    Returns:
        How many records there are, `FULL` if they are more than the capacity, or `REFUSED`.
    """
    stack, seen = np.empty(DEPTH, np.uint8), np.full(1 << _SEEN_LOG2, NULL)
    row, position = 0, _after_space(base, 0)
    while 0 <= position < size:
        first = _first_of_file(base, position, size)
        is_file = first >= 0
        position = first if is_file else position
        while not is_file or _byte(base, position) != _OPEN_ARRAY + _TO_CLOSING:
            if row == cells.shape[1]:
                return FULL
            position = _record(base, position, size, names, services, parameters, cells, row, stack, seen)
            if position < 0:
                return REFUSED
            row += 1
            if not is_file:
                break
            position = _after_record(base, position)
            if position < 0:
                return REFUSED
        if is_file:
            position = _after_space(base, position + 1)
            if _byte(base, position) != _OPEN_OBJECT + _TO_CLOSING:
                return REFUSED
            position += 1
        position = _after_space(base, position)
    return row
