"""Strings as the compiled functions take them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa


def packed(texts: pl.Series) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """UTF-8 of all strings in a row, and where each begins and the last ends: uint8, int64 [n + 1].

    Args:
        texts: String without null.
    """
    array = pa.array(texts.to_arrow(compat_level=pl.CompatLevel.oldest()), pa.large_string())
    if not len(array):
        return np.zeros(0, np.uint8), np.zeros(1, np.int64)
    _, offsets, text = array.buffers()
    ends = np.frombuffer(offsets, np.int64, count=len(array) + 1, offset=8 * array.offset)
    return np.frombuffer(text or b"", np.uint8), ends
