"""Rows of activities that wait until there are enough to count: grouping a handful costs as much as a thousand."""

from __future__ import annotations

import polars as pl

from guardray.dataflow.digests import with_digest
from guardray.detectors.activity import Activity
from guardray.errors import DetectorError
from guardray.shards.activity_rows import merge, summarise

ROWS_HELD = 50_000
"""Of one activity: so many are counted in some ten milliseconds, and bound the memory."""


class HeldActivity:
    """Events that one activity wants, and the rows that they became."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity
        self._events: list[pl.DataFrame] = []
        self._rows: list[pl.DataFrame] = []
        self._problems: list[DetectorError] = []

    def add(self, events: pl.DataFrame) -> None:
        """Keep enriched rows."""
        self._events.append(events)
        if sum(part.height for part in self._events) >= ROWS_HELD:
            self._count()

    def take(self) -> list[pl.DataFrame]:
        """One frame of all rows since the last call, as `summarise` gives them; none where there was no event."""
        self._count()
        rows, self._rows = self._rows, []
        return [merge(self._activity, rows)] if rows else []

    def problems(self) -> list[DetectorError]:
        """Why events could not be counted, since the last call. They are left out, and later ones are tried."""
        problems, self._problems = self._problems, []
        return problems

    def _count(self) -> None:
        if self._events:
            events, self._events = pl.concat(self._events), []
            try:
                self._rows.append(summarise(self._activity, with_digest(events, self._activity.schema)))
            except pl.exceptions.PolarsError as error:
                self._problems.append(DetectorError(self._activity.name, str(error)))
