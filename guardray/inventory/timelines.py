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


class KeyIndex:
    """Numbers keys by their 64-bit hash, so that a look-up costs what it asks for and not what there is."""

    def __init__(self, frame: pl.DataFrame, keys: Sequence[str]) -> None:
        """The keys of these rows. A row with a null in a key has none."""
        self._keys = list(keys)
        hashes, known = self._hashes(frame)
        self._sorted = np.unique(hashes[known])

    def _hashes(self, frame: pl.DataFrame) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
        """uint64 [n], and where no part of the key is null: bool [n]."""
        from guardray.stats.hashing import hash_combine, hash_strings  # numba is slow to load, and few commands ask

        parts = [frame[name] for name in self._keys]
        words = [hash_strings(one) if one.dtype == pl.String else one.fill_null(0).to_numpy() for one in parts]
        known = np.logical_and.reduce([one.is_not_null().to_numpy() for one in parts])
        return words[0] if len(words) == 1 else hash_combine(*words), known

    def codes(self, frame: pl.DataFrame) -> NDArray[np.int64]:
        """The number of each row's key in ascending order of hash, -1 where it is not known: int64 [n]."""
        hashes, known = self._hashes(frame)
        if not len(self._sorted):
            return np.full(len(frame), -1)
        place = np.minimum(np.searchsorted(self._sorted, hashes), len(self._sorted) - 1)
        return np.where(known & (self._sorted[place] == hashes), place, -1)


class Register:
    """What never changes of a key."""

    def __init__(self, frame: pl.DataFrame, key: str) -> None:
        """One row a key, no null among them."""
        self._index = KeyIndex(frame, [key])
        self._rows = frame[np.argsort(self._index.codes(frame))]

    def of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The row of each key in `frame`, all null where it is not known."""
        code = pl.Series("code", self._index.codes(frame))
        place = pl.select(pl.when(code >= 0).then(code)).to_series()
        return self._rows.select(pl.all().gather(place))


class Timeline:
    """Intervals `[start, end)` of keys. Of several of one key that one is in force that began last.

    Once that has ended nothing is, even if an earlier one has no end: it gave way when the later one began.
    """

    def __init__(self, intervals: pl.DataFrame, keys: Sequence[str]) -> None:
        """Intervals with the key columns, `start` and `end` (null: open). Rows with a null in a key are never found."""
        self._index = KeyIndex(intervals, keys)
        code = self._index.codes(intervals)
        others = [name for name in intervals.columns if name != "start"]
        order = intervals.select(pl.Series("code", code), "start", *others).with_row_index("row")
        rows = order.sort("code", "start", *others)["row"]
        self.intervals, code = intervals[rows], code[rows.to_numpy()]
        starts = self.intervals["start"].to_physical().to_numpy()
        self._moments = np.unique(starts)
        self._places = np.flatnonzero(code >= 0)
        self._packed = self._pack(code[self._places], starts[self._places])
        ends = self.intervals["end"].dt.offset_by(f"{GRACE.seconds}s").to_physical()
        self._ends = ends.fill_null(_NEVER).to_numpy()

    def _pack(self, code: NDArray[np.int64], time: NDArray[np.int64]) -> NDArray[np.int64]:
        """Key and time as one number that sorts as the two do: int64 [n]."""
        rank = np.searchsorted(self._moments, time, side="right")
        return code * (len(self._moments) + 1) + rank

    def at(self, frame: pl.DataFrame) -> pl.Series:
        """The row of `intervals` in force for each row's key at its `time`, null where there is none: UInt32 [n]."""
        code, time = self._index.codes(frame), frame["time"].to_physical().fill_null(-_NEVER).to_numpy()
        if not len(self._packed):
            return pl.Series("row", [None], dtype=pl.UInt32).new_from_index(0, len(frame))
        found = np.searchsorted(self._packed, self._pack(code, time), side="right") - 1
        place = self._places[np.maximum(found, 0)]
        width = len(self._moments) + 1
        is_its_own = (found >= 0) & (code >= 0) & (self._packed[np.maximum(found, 0)] // width == code)
        valid = is_its_own & (time < self._ends[place])
        return pl.select(pl.when(pl.Series(valid)).then(pl.Series(place.astype(np.uint32)))).to_series().alias("row")
