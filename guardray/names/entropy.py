"""Information in the characters of names, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit, types

from guardray.names.features import READ_U8S
from guardray.stats.compiled import READ_I64S

LONGEST_NAME = 255
SHORT_LABEL = 3

_DOT = np.uint8(46)
_TIMES_LOG = np.array([0.0, *(n * np.log2(n) for n in range(1, LONGEST_NAME + 1))])
U32S = types.Array(types.uint32, 1, "C")


@njit(types.void(READ_U8S, READ_I64S, U32S), nogil=True, cache=True)
def carried(text: np.ndarray, offsets: np.ndarray, bits: np.ndarray) -> None:
    """Write the bits that each text carries; 0 where no label is longer than `SHORT_LABEL`."""
    counts = np.zeros(256, np.int64)
    for i in range(bits.size):
        start, end = offsets[i], min(offsets[i + 1], offsets[i] + LONGEST_NAME)
        letters = label = longest = 0
        for place in range(start, end):
            is_dot = text[place] == _DOT
            label = 0 if is_dot else label + 1
            longest = max(longest, label)
            letters += not is_dot
            counts[text[place]] += not is_dot
        entropy = _TIMES_LOG[letters]
        for place in range(start, end):
            entropy -= _TIMES_LOG[counts[text[place]]]
            counts[text[place]] = 0
        bits[i] = np.uint32(entropy + 0.5) if longest > SHORT_LABEL else 0
