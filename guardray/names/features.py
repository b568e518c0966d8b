"""What the model sees of a label: its shape in six bins, and its pieces of one to three characters, compiled.

A label is what stands before the first dot. Characters are letters (in either case), digits and hyphens; any other
byte is one kind more, and the label's edges are a kind of their own.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types

from guardray.stats.compiled import READ_I64S

U8S, F32S = types.Array(types.uint8, 1, "C"), types.Array(types.float32, 1, "C")
READ_U8S, READ_F32S = (types.Array(kind, 1, "C", readonly=True) for kind in (types.uint8, types.float32))

OTHER, EDGE, KINDS = 37, 38, 39
VOWEL, CONSONANT, DIGIT = 1, 2, 3
_ORDER = b"abcdefghijklmnopqrstuvwxyz0123456789-"
LONGEST = 63

SHAPES = 6
_LENGTHS, _DIGITS, _VOWELS, _RUNS, _TURNS, _DISTINCT = 0, 32, 64, 104, 144, 184
ONES = 344
TWOS, THREES = ONES + KINDS, ONES + KINDS + KINDS**2
WIDTH = THREES + KINDS**3
"""How many weights there are: of six shapes, then of one, two and three characters."""

MOST = SHAPES + 3 * LONGEST + 2
"""How many features a label has at most."""


def _classes() -> tuple[np.ndarray, np.ndarray]:
    """Each byte's number among the characters, and whether it is a vowel, a consonant or a digit: uint8 [256] both."""
    number, sort = np.full(256, OTHER, np.uint8), np.zeros(256, np.uint8)
    for place, byte in enumerate(_ORDER):
        kind = DIGIT if 26 <= place < 36 else VOWEL if byte in b"aeiouy" else CONSONANT if place < 26 else 0
        for form in {byte, ord(chr(byte).upper())}:
            number[form], sort[form] = place, kind
    return number, sort


_NUMBER, _SORT = _classes()


@njit(nogil=True, inline="always")
def label_end(text: np.ndarray, start: int, end: int) -> int:
    """Where the label ends that begins at `start`."""
    limit = min(end, start + LONGEST)
    for i in range(start, limit):
        if text[i] == 46:
            return i
    return limit


@njit(nogil=True)
def shape(text: np.ndarray, start: int, end: int, found: np.ndarray) -> None:
    """Write the six bins of the label's shape to the front of `found`.

    Length; and by coarse length the shares of digits and of vowels among letters, the longest run of consonants, how
    often digits and others take turns, and how many different characters there are.
    """
    digits = vowels = run = longest_run = turns = distinct = 0
    seen, was_digit = np.uint64(0), False
    for i in range(start, end):
        sort = _SORT[text[i]]
        digits += sort == DIGIT
        vowels += sort == VOWEL
        run = run + 1 if sort == CONSONANT else 0
        longest_run = max(longest_run, run)
        turns += i > start and was_digit != (sort == DIGIT)
        was_digit = sort == DIGIT
        bit = np.uint64(1) << np.uint64(_NUMBER[text[i]])
        distinct += (seen & bit) == 0
        seen |= bit
    length = end - start
    capped = min(length, 31)
    coarse = min(capped // 6, 3)
    found[0] = _LENGTHS + capped
    found[1] = _DIGITS + min(8 * digits // max(length, 1), 7) * 4 + coarse
    found[2] = _VOWELS + min(10 * vowels // max(length - digits, 1), 9) * 4 + coarse
    found[3] = _RUNS + min(longest_run, 9) * 4 + coarse
    found[4] = _TURNS + min(turns, 9) * 4 + coarse
    found[5] = _DISTINCT + min(distinct, 19) * 8 + min(capped // 3, 7)


@njit(nogil=True)
def features(text: np.ndarray, start: int, end: int, found: np.ndarray) -> int:
    """Write the numbers of the label's features to `found`, shapes first; gives how many there are, at most `MOST`."""
    shape(text, start, end, found)
    count = SHAPES
    before = second = EDGE
    for i in range(start, end + 1):
        one = EDGE if i == end else int(_NUMBER[text[i]])
        if i < end:
            found[count] = ONES + one
            count += 1
        found[count] = TWOS + before * KINDS + one
        found[count + 1] = THREES + (second * KINDS + before) * KINDS + one
        count += 2
        second, before = before, one
    return count


@njit(nogil=True)
def log_odds(weights: np.ndarray, found: np.ndarray, count: int) -> float:
    """Shapes count in full; pieces by the root of their number, between their sum and their mean."""
    shapes = pieces = 0.0
    for i in range(SHAPES):
        shapes += weights[found[i]]
    for i in range(SHAPES, count):
        pieces += weights[found[i]]
    total: float = shapes + pieces / np.sqrt(count)
    return total


@njit(types.void(READ_U8S, READ_I64S, READ_F32S, F32S), nogil=True, cache=True)
def score(text: np.ndarray, offsets: np.ndarray, weights: np.ndarray, scores: np.ndarray) -> None:
    """Write the log-odds of each text's first label that a program made it up.

    Args:
        text: UTF-8 of all texts.
        offsets: int64 [n + 1], where each begins and the last ends.
        weights: float32 [WIDTH].
        scores: float32 [n].
    """
    found = np.empty(MOST, np.int64)
    for i in range(scores.size):
        start = offsets[i]
        count = features(text, start, label_end(text, start, offsets[i + 1]), found)
        scores[i] = log_odds(weights, found, count)
