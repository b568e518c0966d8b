"""How much a name can carry: the information in the part of it that whoever asks is free to choose."""

from __future__ import annotations

import numpy as np
import polars as pl

from guardray.names.texts import packed


def carried_bits(parts: pl.Series) -> pl.Series:
    """Bits that the characters of each part carry, dots left out: UInt32 [n].

    The entropy of the part's own characters times their number. It is an estimate from below for short parts: 32
    random hexadecimal digits give some 113 bits of their 128. Parts whose labels are all of three characters at most
    are addresses in reverse, as block lists are asked for, and carry 0.

    Args:
        parts: String without null, the labels below a domain.

    Source: Shannon 1948, A mathematical theory of communication.
    """
    from guardray.names.entropy import carried  # numba is slow to load, and few commands ask

    bits = np.zeros(len(parts), np.uint32)
    carried(*packed(parts), bits)
    return pl.Series("carried", bits)
