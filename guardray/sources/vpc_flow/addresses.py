"""Addresses that are a column of text already: numbers, and the text of those that are not IPv4."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa

from guardray.sources.vpc_flow import kernels
from guardray.sources.vpc_flow.fields import UNKNOWN, ipv6


def addresses(texts: pl.Series) -> pl.DataFrame:
    """Read addresses, null and `-` being none.

    Returns:
        [len(texts)] `number`, UInt32 of IPv4; `text`, String of others; `is_bad`, Boolean, for what is neither.
    """
    texts = texts.replace(UNKNOWN, None)
    values, states = _ipv4(texts)
    is_ipv4 = pl.Series(states == kernels.VALUE)
    others = texts.set(is_ipv4, None)
    bad = [text for text in others.unique().drop_nulls() if not _is_ipv6(text)]
    is_bad = others.is_in(bad).fill_null(value=False)
    return pl.DataFrame(
        {"number": pl.Series(values).set(~is_ipv4, None), "text": others.set(is_bad, None), "is_bad": is_bad}
    )


def _ipv4(texts: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Numbers uint32 [n] and states uint8 [n], as `kernels.addresses` gives them."""
    array = texts.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.string())
    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1]
    bounds = np.stack((ends[:-1] - 1, ends[1:]), axis=1)
    values, states = np.empty(len(array), np.uint32), np.empty(len(array), np.uint8)
    letters = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(0, np.uint8)
    kernels.addresses(letters, bounds, 0, values, states)
    return values, states


def _is_ipv6(text: str) -> bool:
    try:
        ipv6(text)
    except ValueError:
        return False
    return True
