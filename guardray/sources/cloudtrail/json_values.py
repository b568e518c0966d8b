"""Undecoded JSON values as Arrow arrays, without a Python object for each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import pyarrow as pa
from msgspec import Raw


def json_lines(values: Sequence[Raw]) -> pa.LargeStringArray:
    """JSON values, each with one line end after it, in one buffer: large_string [n].

    Copying each value into a Python object of its own costs twice the time; only values that hold line ends themselves
    have to go that way.
    """
    joined = b"\n".join([*values, b""])
    ends = np.flatnonzero(np.frombuffer(joined, np.uint8) == ord("\n")) + 1
    if len(ends) != len(values):
        return pa.array([f"{bytes(value).decode()}\n" for value in values], pa.large_string())
    offsets = np.zeros(len(values) + 1, np.int64)
    offsets[1:] = ends
    return pa.LargeStringArray.from_buffers(len(values), pa.py_buffer(offsets), pa.py_buffer(joined))


def json_text(name: str, values: Sequence[Raw]) -> pl.Series:
    """JSON values as text, null where JSON says null: String [n]."""
    text = pl.Series(name, json_lines(values)).str.strip_suffix("\n")
    return text.to_frame().select(pl.when(pl.col(name) != "null").then(pl.col(name)))[name]
