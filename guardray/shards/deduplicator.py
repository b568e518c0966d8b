"""Events that were delivered before: two trails, a second delivery, a file read twice."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from guardray.shards.keyed_table import KeyedTable

DAY_US = 86_400_000_000

_SCHEMA = pa.schema([("day", pa.int64()), ("hash", pa.uint64())])


class Deduplicator:
    """Hashes of events seen, in one generation for each day of event time, so that old ones go at once.

    Copies of an event have one time, so only the generation of that day is asked. Two events of a day that share a
    64-bit hash count as one: among ten million events a day that happens with a chance of 3 in a million.
    """

    def __init__(self) -> None:
        self._days: dict[int, KeyedTable] = {}

    def __len__(self) -> int:
        return sum(len(table) for table in self._days.values())

    @property
    def nbytes(self) -> int:
        return sum(table.nbytes for table in self._days.values())

    def first_seen(self, hashes: NDArray[np.uint64], time: NDArray[np.int64]) -> NDArray[np.bool_]:
        """True where an event is seen for the first time, in this batch too: bool [n].

        Args:
            hashes: uint64 [n], of what makes two records the same event.
            time: int64 [n], event time in microseconds since 1970.
        """
        days = time // DAY_US
        first = np.empty(len(hashes), dtype=np.bool_)
        for day in np.unique(days).tolist():
            of_day = days == day
            first[of_day] = _is_new(self._days.setdefault(day, KeyedTable()), hashes[of_day])
        return first

    def forget(self, before_us: int) -> None:
        """Drop the days that ended by this time. Their events, should they come again, count as new."""
        self._days = {day: table for day, table in self._days.items() if (day + 1) * DAY_US > before_us}

    def forget_oldest(self) -> int:
        """Drop the earliest day. Returns how many events are forgotten."""
        return len(self._days.pop(min(self._days))) if self._days else 0

    def export(self) -> pa.Table:
        """All hashes and their day, to keep."""
        days = np.repeat(list(self._days), [len(table) for table in self._days.values()]).astype(np.int64)
        hashes = np.concatenate([np.empty(0, dtype=np.uint64), *(table.keys for table in self._days.values())])
        return pa.table([pa.array(days), pa.array(hashes)], schema=_SCHEMA)

    def restore(self, table: pa.Table) -> None:
        """Replace what is known by what `export` gave.

        Raises:
            ValueError: the table is of another kind.
        """
        if table.schema != _SCHEMA:
            raise ValueError(f"expected {_SCHEMA.to_string()}, not {table.schema.to_string()}")
        self._days = {}
        self.first_seen(table.column("hash").to_numpy(), table.column("day").to_numpy() * DAY_US)


def _is_new(table: KeyedTable, hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Rows are counted on in order of appearance, so a hash is new where its row is above all rows before it."""
    known = len(table)
    rows = table.upsert(hashes)
    highest_before = np.maximum.accumulate(np.concatenate([[known - 1], rows]))[:-1]
    return rows > highest_before
