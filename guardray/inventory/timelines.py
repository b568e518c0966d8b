"""Who held what and when: intervals by key, and the one in force at a time, for whole columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

GRACE = timedelta(minutes=5)
"""For how long an end is not yet believed: an instance that is being terminated still shuts down, and the flow record
of its last minutes may begin after the call. Unless the next holder is there already."""

_NEVER = np.iinfo(np.int64).max


class Timeline:
    """Intervals `[start, end)` of keys. Of several of one key that one is in force that began last.

    Once that has ended nothing is, even if an earlier one has no end: it gave way when the later one began.
    """

    def __init__(self, intervals: pl.DataFrame, keys: Sequence[str]) -> None:
        """Intervals with the key columns, `start` and `end` (null: open). Rows with a null in a key are never found."""
        self._keys = list(keys)
        self.intervals = intervals.sort(*keys, "start", *(name for name in intervals.columns if name not in keys))
        distinct = self.intervals.select(keys).drop_nulls().unique(maintain_order=True)
        self._codes = distinct.with_columns(code=pl.int_range(len(distinct), dtype=pl.Int64))
        code = self._code(self.intervals)
        starts = self.intervals["start"].to_physical().to_numpy()
        self._moments = np.unique(starts)
        self._places = np.flatnonzero(code >= 0)
        self._packed = self._pack(code[self._places], starts[self._places])
        ends = self.intervals["end"].dt.offset_by(f"{GRACE.seconds}s").to_physical()
        self._ends = ends.fill_null(_NEVER).to_numpy()

    def _code(self, frame: pl.DataFrame) -> NDArray[np.int64]:
        """The number of each row's key, -1 where it is not known: int64 [n]."""
        found = frame.select(self._keys).join(self._codes, on=self._keys, how="left", maintain_order="left")
        return found["code"].fill_null(-1).to_numpy()

    def _pack(self, code: NDArray[np.int64], time: NDArray[np.int64]) -> NDArray[np.int64]:
        """Key and time as one number that sorts as the two do: int64 [n]."""
        rank = np.searchsorted(self._moments, time, side="right")
        return code * (len(self._moments) + 1) + rank

    def at(self, frame: pl.DataFrame) -> pl.Series:
        """The row of `intervals` in force for each row's key at its `time`, null where there is none: UInt32 [n]."""
        code, time = self._code(frame), frame["time"].to_physical().fill_null(-_NEVER).to_numpy()
        if not len(self._packed):
            return pl.Series("row", [None], dtype=pl.UInt32).new_from_index(0, len(frame))
        found = np.searchsorted(self._packed, self._pack(code, time), side="right") - 1
        place = self._places[np.maximum(found, 0)]
        width = len(self._moments) + 1
        is_its_own = (found >= 0) & (code >= 0) & (self._packed[np.maximum(found, 0)] // width == code)
        valid = is_its_own & (time < self._ends[place])
        return pl.select(pl.when(pl.Series(valid)).then(pl.Series(place.astype(np.uint32)))).to_series().alias("row")
