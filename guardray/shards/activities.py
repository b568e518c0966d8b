"""State behind `guardray.detectors.declare.ActivityDetector`: periods that are still open, and what was learned."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
import pyarrow as pa

from guardray.context.enrich import enriched_columns
from guardray.detectors.activity import Activity
from guardray.errors import LeftOutError
from guardray.shards import activity_rows
from guardray.shards.activity_rows import IS_REST, START
from guardray.shards.habits import Habits
from guardray.shards.learned import IS_FLAGGED

OPEN = "open"
"""The table of the rows whose period is not over."""

_ROWS_BETWEEN_MERGES = 100_000
"""Merging costs per row, so it is put off until this many have come, or a period is looked at."""


class ActivityTable:
    """The rows of one activity whose period is open, and the habits learned from the days before.

    Attributes:
        left_out: whose rows there was no room for, in the closed period that had most of them; None: there was for all.
    """

    def __init__(self, activity: Activity) -> None:
        self._activity = activity
        columns = enriched_columns(activity.schema)
        nothing = pl.DataFrame(schema={**columns, "digest": pl.UInt64, "last_seen": columns["time"]})
        self._parts = [activity_rows.summarise(activity, nothing)]
        self._unmerged = 0
        shown = activity_rows.read(activity, self._parts[0]) if activity.learns else self._parts[0]
        self._habits = Habits(activity, shown.schema)
        self._flagged: pl.Series | None = None
        self.left_out: LeftOutError | None = None
        self._most_kinds = 0

    @property
    def nbytes(self) -> int:
        """About how many bytes all rows and habits take."""
        return int(sum(part.estimated_size() for part in (*self._parts, *self._habits.tables.values())))

    def __len__(self) -> int:
        """Rows that wait, merged or not."""
        return sum(part.height for part in self._parts)

    def add(self, rows: pl.DataFrame) -> None:
        """Takes in rows as `summarise` gives them."""
        self._parts.append(rows)
        self._unmerged += rows.height
        if self._unmerged >= _ROWS_BETWEEN_MERGES:
            self._merged()

    def _merged(self) -> pl.DataFrame:
        self._parts = [activity_rows.merge(self._activity, self._parts)]
        self._unmerged = 0
        return self._parts[0]

    def open(self) -> pl.DataFrame:
        """The rows of the earliest open day with what is known of its past; of all open periods without habits."""
        rows = self._merged()
        if self._activity.learns:
            rows = rows.filter(pl.col(START) == pl.col(START).min())
        return _shown(self._habits.attach(activity_rows.read(self._activity, rows)))

    def close(self, watermark_us: int) -> Iterator[pl.DataFrame]:
        """Removes periods that end at or before the watermark, and learns from them.

        Yields:
            The rows of each of these periods, in the order of time, with what was known before it; those of all periods
            at once where there is nothing to learn.
        """
        period = self._activity.period
        rows = self._merged()
        due = (rows[START] + period).to_physical() <= watermark_us
        self._parts = [rows.filter(~due)]
        closed = rows.filter(due)
        self._count_left_out(closed)
        closed = activity_rows.read(self._activity, closed)
        if not self._activity.learns:
            yield _shown(closed)
            return
        for of_period in closed.sort(START).partition_by(START, maintain_order=True):
            attached = self._habits.attach(of_period)
            self._flagged = None
            yield _shown(attached)
            self._habits.learn(self._with_flags(attached))

    def flag(self, flagged: pl.Series) -> None:
        """Tells which of the rows of the period that was given out last were told of: Boolean [n], without nulls.

        They weigh nothing in what is learned of the period.
        """
        self._flagged = flagged

    def _with_flags(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows with `IS_FLAGGED`."""
        if self._flagged is None:
            return rows.with_columns(pl.lit(False).alias(IS_FLAGGED))
        at = (~rows[IS_REST]).arg_true()
        flags = np.zeros(rows.height, dtype=bool)
        flags[at.to_numpy()] = self._flagged.to_numpy()
        return rows.with_columns(pl.Series(IS_FLAGGED, flags))

    def _count_left_out(self, rows: pl.DataFrame) -> None:
        crowded = activity_rows.crowded(self._activity, rows)
        if crowded.is_empty():
            return
        kinds, start, *whose = crowded.row(0)
        if kinds > self._most_kinds:
            who, since = "/".join(map(str, whose)), f"from {start:%Y-%m-%d %H:%M} on"
            reason = f"of about {kinds:,} kinds of events of {who} {since}, {self._activity.most:,} were looked at"
            self._most_kinds, self.left_out = kinds, LeftOutError(self._activity.name, reason)

    def with_usual(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows of the period that was given out last, with the Object column `usual`: what `Habits.usual` says."""
        return rows.with_columns(pl.Series("usual", self._habits.usual(rows), dtype=pl.Object))

    @property
    def names(self) -> tuple[str, ...]:
        """The tables that all state is kept in."""
        return (OPEN, *self._habits.tables)

    def _table(self, name: str) -> pl.DataFrame:
        return self._merged() if name == OPEN else self._habits.tables[name]

    def schema(self, name: str) -> pl.Schema:
        """The columns of one of the tables."""
        return self._table(name).schema

    def export(self, name: str) -> pa.Table:
        """A copy of one of the tables, to keep."""
        return self._table(name).to_arrow()

    def restore(self, name: str, table: pa.Table) -> None:
        """Replaces one of the tables by what `export` gave."""
        if name == OPEN:
            self._parts = [pl.DataFrame(table)]
        else:
            self._habits.tables[name] = pl.DataFrame(table)


def _shown(rows: pl.DataFrame) -> pl.DataFrame:
    """Without those that stand for all kinds of events."""
    return rows.filter(~pl.col(IS_REST)).drop(IS_REST)
