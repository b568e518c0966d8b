"""Addresses that are a column of text already: numbers, and the text of those that are not IPv4."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from guardray.sources.vpc_flow import kernels
from guardray.sources.vpc_flow.fields import ipv6


@dataclass(frozen=True)
class Addresses:
    """What texts say, [n] each: UInt32 numbers of IPv4; texts of others, and what is no address, None if none is."""

    number: pl.Series
    text: pl.Series | None
    is_bad: pl.Series | None


def addresses(texts: pa.Array) -> Addresses:
    """Read addresses, null and `-` being none."""
    values, states = _ipv4(texts)
    numbers = pl.Series(values)
    if not states.any():
        return Addresses(numbers, None, None)
    is_ipv4 = pl.Series(states == kernels.VALUE)
    numbers = numbers.set(~is_ipv4, None)
    others = pl.Series(texts, dtype=pl.String).set(pl.Series(states != kernels.OTHER), None)
    bad = [text for text in others.unique().drop_nulls() if not _is_ipv6(text)]
    is_bad = others.is_in(bad).fill_null(value=False)
    return Addresses(numbers, others.set(is_bad, None), is_bad)


def _ipv4(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Numbers uint32 [n] and states uint8 [n], as `kernels.addresses` gives them."""
    array = texts.cast(pa.string())
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
