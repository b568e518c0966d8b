"""JSON text crossed by compiled code: strings 32 bytes at a time, all of it checked as strictly as a parser would.

A text is a `bytes` object, whose address comes with its size: the zero that Python puts behind it ends every loop.
Positions in it are int64, and functions give the one after what they read, or `REFUSED`.

Source: RFC 8259, The JavaScript Object Notation (JSON) data interchange format.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from guardray.stats.intrinsics import load_u8, load_u64, string_stops, trailing_zeros

REFUSED = -1

DEPTH = 1024
"""Values nested deeper are refused: Python's own limit, which the careful way has, is lower."""

QUOTE, _BACKSLASH, COMMA, _COLON, _PLUS, _MINUS, _DOT, _ZERO, _NINE, _SMALL_E, _SMALL_U = b'"\\,:+-.09eu'
_SPACE, _TAB, _NEWLINE, _RETURN = b" \t\n\r"
OPEN_OBJECT, OPEN_ARRAY = b"{["
TO_CLOSING = 2
"""From `{` to `}` as from `[` to `]`."""
_ESCAPABLE = np.zeros(256, np.bool_)
_ESCAPABLE[list(b'"\\/bfnrt')] = True
_HEX = np.full(256, -(1 << 16))
_HEX[list(b"0123456789abcdef")] = _HEX[list(b"0123456789ABCDEF")] = np.arange(16)
_HIGH_SURROGATE, _LOW_SURROGATE = 0xD800 >> 10, 0xDC00 >> 10

_LANES, WORD_BYTES = 32, 8
LOW_BYTES = np.array([(1 << 8 * length) - 1 for length in range(WORD_BYTES + 1)], np.uint64)
TRUE_WORD, FALSE_END, _NULL = (int.from_bytes(word, "little") for word in (b"true", b"alse", b"null"))


def inlined(function: Any) -> Any:
    """Compile into whatever calls it, which makes the scan a twentieth faster."""
    return njit(nogil=True, forceinline=True)(function)


@inlined
def byte_at(base: np.uint64, position: int) -> Any:
    return np.int64(load_u8(base + np.uint64(position)))


@njit(nogil=True)
def _last_word(base: np.uint64, position: int, size: int) -> Any:
    word = np.uint64(0)
    for i in range(size - position):
        word |= load_u8(base + np.uint64(position + i)) << np.uint64(8 * i)
    return word


@inlined
def word_at(base: np.uint64, position: int, size: int) -> Any:
    """Eight bytes; beyond the end of the text they are zero."""
    is_whole = position + WORD_BYTES <= size
    return load_u64(base + np.uint64(position)) if is_whole else _last_word(base, position, size)


@njit(nogil=True)
def _last_stops(base: np.uint64, position: int, size: int) -> Any:
    stops = np.uint64(0)
    for i in range(size - position + 1):
        byte = byte_at(base, position + i)
        stops |= np.uint64(byte in (QUOTE, _BACKSLASH) or byte < _SPACE) << np.uint64(i)
    return stops


@inlined
def _stops(base: np.uint64, position: int, size: int) -> Any:
    """`string_stops` of the next 32 bytes, or of those that the text has left and the zero after it."""
    is_whole = position + _LANES <= size
    return string_stops(base + np.uint64(position)) if is_whole else _last_stops(base, position, size)


@inlined
def _lowest(stops: np.uint64) -> Any:
    return np.int64(trailing_zeros(stops))


@inlined
def after_space(base: np.uint64, position: int) -> int:
    byte = byte_at(base, position)
    while byte in (_SPACE, _NEWLINE, _TAB, _RETURN):
        position += 1
        byte = byte_at(base, position)
    return position


@njit(nogil=True)
def _unit(base: np.uint64, position: int) -> Any:
    """The UTF-16 code unit that the escape `\\uXXXX` here stands for, below zero if there is none."""
    if byte_at(base, position) != _BACKSLASH or byte_at(base, position + 1) != _SMALL_U:
        return -1
    unit = 0
    for i in range(2, 6):
        digit = int(_HEX[byte_at(base, position + i)])
        if digit < 0:
            return -1
        unit = unit << 4 | digit
    return unit


@njit(nogil=True)
def _after_escape(base: np.uint64, position: int) -> int:
    """Half of a surrogate pair is no character, and refused."""
    if _ESCAPABLE[byte_at(base, position + 1)]:
        return position + 2
    unit = _unit(base, position)
    if unit >> 10 == _HIGH_SURROGATE:
        position += 6
        return position + 6 if _unit(base, position) >> 10 == _LOW_SURROGATE else REFUSED
    return REFUSED if unit < 0 or unit >> 10 == _LOW_SURROGATE else position + 6


@inlined
def string_end(base: np.uint64, position: int, size: int) -> tuple[int, int]:
    """Where the string that begins here has its closing quotation mark, and 1 if it has escapes, else 0."""
    has_escapes = 0
    while True:
        stops = _stops(base, position, size)
        if stops == 0:
            position += _LANES
            continue
        position += _lowest(stops)
        byte = byte_at(base, position)
        if byte == QUOTE:
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
    while _ZERO <= byte_at(base, end) <= _NINE:
        end += 1
    return end if end > position else REFUSED


@njit(nogil=True)
def _after_number(base: np.uint64, position: int) -> int:
    if byte_at(base, position) == _MINUS:
        position += 1
    position = position + 1 if byte_at(base, position) == _ZERO else _after_digits(base, position)
    if position >= 0 and byte_at(base, position) == _DOT:
        position = _after_digits(base, position + 1)
    if position >= 0 and byte_at(base, position) | _SPACE == _SMALL_E:
        sign = byte_at(base, position + 1)
        position = _after_digits(base, position + (2 if sign in (_PLUS, _MINUS) else 1))
    return position


@njit(nogil=True)
def after_literal(base: np.uint64, position: int, size: int) -> int:
    """After true, false, null or a number. What follows at once is left to whoever wants a comma or an end there."""
    word = word_at(base, position, size)
    first = word & LOW_BYTES[4]
    if first == np.uint64(TRUE_WORD) or first == np.uint64(_NULL):
        return position + 4
    if byte_at(base, position) == ord("f"):
        return position + 5 if (word >> np.uint64(8)) & LOW_BYTES[4] == np.uint64(FALSE_END) else REFUSED
    return _after_number(base, position)


@inlined
def after_colon(base: np.uint64, position: int) -> int:
    """Where the value begins after a name that ends here."""
    position = after_space(base, position)
    return after_space(base, position + 1) if byte_at(base, position) == _COLON else REFUSED


@inlined
def _after_name(base: np.uint64, position: int, size: int) -> int:
    if byte_at(base, position) != QUOTE:
        return REFUSED
    end, _ = string_end(base, position + 1, size)
    return REFUSED if end < 0 else after_colon(base, end + 1)


@inlined
def _after_scalar(base: np.uint64, position: int, size: int) -> int:
    if byte_at(base, position) != QUOTE:
        return after_literal(base, position, size)
    end, _ = string_end(base, position + 1, size)
    return REFUSED if end < 0 else end + 1


@inlined
def _next_value(base: np.uint64, position: int, size: int, bracket: int) -> int:
    """Where a value begins within this bracket, after what opened it or parted it from the one before."""
    position = after_space(base, position)
    return _after_name(base, position, size) if bracket == OPEN_OBJECT else position


@inlined
def _after_closings(base: np.uint64, position: int, stack: np.ndarray, depth: int) -> tuple[int, int]:
    """After the brackets that close here, and how many are still open."""
    while depth > 0:
        position = after_space(base, position)
        if byte_at(base, position) != stack[depth - 1] + TO_CLOSING:
            break
        position += 1
        depth -= 1
    return position, depth


@njit(nogil=True)
def after_value(base: np.uint64, position: int, size: int, stack: np.ndarray) -> int:
    """After any value. `stack`, uint8 [DEPTH], is room for the brackets that are open."""
    depth = 0
    while position >= 0:
        byte = byte_at(base, position)
        if byte in (OPEN_OBJECT, OPEN_ARRAY):
            if depth == DEPTH:
                return REFUSED
            stack[depth] = byte
            depth += 1
            position = after_space(base, position + 1)
            if byte_at(base, position) != byte + TO_CLOSING:
                position = _next_value(base, position, size, byte)
                continue
        else:
            position = _after_scalar(base, position, size)
            if position < 0:
                return REFUSED
        position, depth = _after_closings(base, position, stack, depth)
        if depth == 0:
            return position
        if byte_at(base, position) != COMMA:
            return REFUSED
        position = _next_value(base, position + 1, size, stack[depth - 1])
    return REFUSED


@njit(nogil=True)
def same_bytes(one: np.uint64, other: np.uint64, length: int) -> Any:
    """Whether so many bytes at two addresses are equal."""
    # Without a way out of the loops, the compiler compares several words at once.
    difference = np.uint64(0)
    whole = length // WORD_BYTES * WORD_BYTES
    for i in range(0, whole, WORD_BYTES):
        difference |= load_u64(one + np.uint64(i)) ^ load_u64(other + np.uint64(i))
    for i in range(whole, length):
        difference |= load_u8(one + np.uint64(i)) ^ load_u8(other + np.uint64(i))
    return difference == 0
