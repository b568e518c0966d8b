"""Summaries of keys over spans of event time: the state behind `guardray.detectors.declare.WindowDetector`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from guardray.schema.columns import UTC_US
from guardray.shards.keyed_table import KeyedTable
from guardray.shards.nulls import to_series
from guardray.shards.partition import SUBJECT, split
from guardray.stats.hashing import hash_combine
from guardray.stats.measures import Count, Measure
from guardray.stats.rows import Rows
from guardray.stats.scalars import FirstLast
from guardray.stats.summaries import observe, summary_of
from guardray.stats.summary import Summary

__all__ = ["WindowTable", "split"]

START, SEEN = "window_start", "seen"
_RESERVED = {SUBJECT, START, SEEN, "window_end", "first_seen", "last_seen"}
_MICROSECOND = timedelta(microseconds=1)


class WindowTable:
    """One row of summaries for each subject, key and window that was seen.

    Windows lie on multiples of their length (of `hop`, where they slide) from 1970 on and before, so that a window
    is the same wherever its rows are counted. A window is known by a 64-bit hash of subject, key and start.

    Args:
        key: name and number type of each key column.
        measures: name and kind of each summary.
        window: length of a window.
        hop: distance from the start of a window to the next, a divisor of `window`; None: they do not overlap.

    Raises:
        ValueError: the hop does not divide the window, or a name is used twice.
    """

    def __init__(
        self,
        key: Mapping[str, np.dtype[Any]],
        measures: Mapping[str, Measure],
        window: timedelta,
        hop: timedelta | None = None,
    ) -> None:
        self._window_us = window // _MICROSECOND
        self._hop_us = (hop or window) // _MICROSECOND
        if self._hop_us <= 0 or self._window_us % self._hop_us:
            raise ValueError(f"a window of {window} cannot slide by {hop}")
        clashes = (set(key) & set(measures)) | ((set(key) | set(measures)) & _RESERVED)
        if clashes:
            raise ValueError(f"names used twice: {sorted(clashes)}")
        self._key, self._measures = dict(key), dict(measures)
        self._clear()
        self._schema = self.export().schema

    def _clear(self) -> None:
        types = {SUBJECT: np.dtype(np.uint64), **self._key, START: np.dtype(np.int64)}
        self._table = KeyedTable()
        self._identity = {name: Rows(np.zeros(1, dtype=dtype)) for name, dtype in types.items()}
        self._seen = FirstLast()
        self._summaries = {name: summary_of(measure) for name, measure in self._measures.items()}
        self._touched, self._crossed = Rows(np.zeros(1, dtype=np.bool_)), Rows(np.zeros(1, dtype=np.bool_))

    def __len__(self) -> int:
        return len(self._table)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, spare room included."""
        return sum((part.nbytes for part in self._parts()), start=self._table.nbytes)

    def _parts(self) -> list[Rows | Summary]:
        """Everything that has one row for each window."""
        return [*self._identity.values(), self._touched, self._crossed, self._seen, *self._summaries.values()]

    def update(
        self,
        subject: NDArray[np.uint64],
        key: Mapping[str, NDArray[Any]],
        time: NDArray[np.int64],
        end_time: NDArray[np.int64],
        values: Mapping[str, NDArray[Any]],
    ) -> None:
        """Count rows into the windows that their time falls into.

        Args:
            subject: uint64 [n], hash of the entity.
            key: the key columns by name, [n] each, without nulls.
            time: int64 [n], microseconds since 1970; decides the window.
            end_time: int64 [n], microseconds since 1970; the latest becomes `last_seen`.
            values: the columns that the measures name, integers [n] each; a masked array where some are unknown.
        """
        for start in self._starts(time):
            rows = self._rows_of({SUBJECT: subject, **{name: key[name] for name in self._key}, START: start})
            self._seen.update(rows, time, end_time)
            for name, measure in self._measures.items():
                fed = None if isinstance(measure, Count) else values[measure.column]
                observe(self._summaries[name], rows, time, fed)

    def _starts(self, time: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        """The start of each window that the times fall into, latest first."""
        latest = time // self._hop_us * self._hop_us
        for back in range(0, self._window_us, self._hop_us):
            yield latest - back

    def _rows_of(self, identity: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
        """The row of each window, made where it is new, and touched: int64 [n]."""
        known = len(self._table)
        rows = self._table.upsert(hash_combine(*identity.values()))
        if len(self._table) > known:
            self._resize(len(self._table))
            new = np.flatnonzero(rows >= known)
            for name, column in identity.items():
                self._identity[name].column[rows[new]] = column[new]
        self._touched.column[rows] = True
        return rows

    def _resize(self, length: int) -> None:
        for part in self._parts():
            part.resize(length)

    def crossed(self, crosses: Callable[[NDArray[np.int64]], NDArray[np.bool_]]) -> NDArray[np.int64]:
        """Rows of open windows that have crossed, in order: int64 [m]. They hold until `close`.

        Windows cross once and for all, so only those are asked of that changed since the last call.

        Args:
            crosses: says of rows, int64 [n], which of them cross, bool [n].
        """
        changed = np.flatnonzero(self._touched.column)
        self._touched.column[:] = False
        if len(changed):
            self._crossed.column[changed] |= crosses(changed)
        return np.flatnonzero(self._crossed.column)

    def frame(self, rows: NDArray[np.int64] | None = None, names: Collection[str] | None = None) -> pl.DataFrame:
        """What is known of all windows, or of these rows.

        Args:
            rows: int64 [n].
            names: only these of the columns, and `subject`.

        Returns:
            `subject`, the key columns, `window_start`, `window_end`, the measures as Int64 (null where no value was
            seen), `first_seen` and `last_seen`.
        """
        rows = np.arange(len(self)) if rows is None else rows
        known = (*self._identity, "window_end", *self._summaries, "first_seen", "last_seen")
        wanted = (name for name in known if names is None or name in names or name == SUBJECT)
        return pl.DataFrame([self._column(name, rows) for name in wanted])

    def _column(self, name: str, rows: NDArray[np.int64]) -> pl.Series:
        if name in self._summaries:
            return to_series(name, self._summaries[name].read(rows))
        if name in self._identity and name != START:
            return pl.Series(name, self._identity[name].column[rows])
        return pl.Series(name, self._moments(name, rows)).cast(UTC_US)

    def _moments(self, name: str, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Microseconds since 1970: int64 [n]."""
        if name in ("first_seen", "last_seen"):
            return self._seen.read(rows)[:, ("first_seen", "last_seen").index(name)]
        start = self._identity[START].column[rows]
        return start if name == START else start + self._window_us

    def close(
        self, watermark_us: int, told_of: Callable[[NDArray[np.int64]], NDArray[np.bool_]] | None = None
    ) -> pl.DataFrame:
        """Remove the windows that end at or before the watermark.

        Rows that come later than that open their window anew. Removing moves all rows, which costs no more than a
        constant factor: windows end together, so a row is moved at most as often as windows overlap or wait.

        Args:
            watermark_us: microseconds since 1970.
            told_of: says of rows, int64 [n], which of them are wanted, bool [n]; None: all.

        Returns:
            What `frame` says of those that are wanted, sorted by `window_start`, `subject` and key.
        """
        due = self._identity[START].column <= watermark_us - self._window_us
        rows = np.flatnonzero(due)
        wanted = rows if told_of is None else rows[told_of(rows)]
        closed = self.frame(wanted).sort(START, SUBJECT, *self._key)
        if len(rows):
            kept = self._table.keep(~due)
            for part in self._parts():
                part.take(kept)
        return closed

    def median_end(self) -> int:
        """When half of the windows have ended, in microseconds since 1970: closing up to there makes room."""
        return int(np.median(self._identity[START].column)) + self._window_us

    def export(self, clear: bool = True) -> pa.Table:
        """A copy of the state of all windows, to merge into another table of the same kind or to keep.

        Args:
            clear: forget all windows.
        """
        columns = {
            **{name: pa.array(part.column.copy()) for name, part in self._identity.items()},
            SEEN: self._seen.to_arrow(),
            **{name: summary.to_arrow() for name, summary in self._summaries.items()},
        }
        table = pa.table(columns, metadata=self._spans())
        if clear:
            self._clear()
        return table

    def _spans(self) -> dict[str, str]:
        return {"window_us": str(self._window_us), "hop_us": str(self._hop_us)}

    def merge(self, table: pa.Table) -> None:
        """Add exported state. Windows may be there more than once, as in tables put one after the other.

        Raises:
            ValueError: it was exported by a table with other keys, measures or windows.
        """
        if not table.schema.equals(self._schema, check_metadata=True):
            raise ValueError(f"expected {self._schema.to_string()}, not {table.schema.to_string()}")
        rows = self._rows_of({name: table.column(name).to_numpy() for name in self._identity})
        every = np.arange(len(rows))
        self._seen.merge(rows, self._seen.from_arrow(table.column(SEEN)), every)
        for name, summary in self._summaries.items():
            summary.merge(rows, summary.from_arrow(table.column(name)), every)

    def restore(self, table: pa.Table) -> None:
        """Replace all state by exported state.

        Raises:
            ValueError: as for `merge`.
        """
        self._clear()
        self.merge(table)
