"""Configuration changes in the order of their time: the state behind `guardray.detectors.declare.ChangeDetector`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pyarrow as pa

from guardray.detectors.declare import ChangeDetector, Judgement
from guardray.errors import DetectorError
from guardray.types import Row

PROBLEMS_KEPT = 100
"""Of one detector: whoever can write rows that it fails on could fill the memory else."""

_ENTRY_BYTES = 200
"""Of a dict's entry and two strings, besides their text."""

_CONFIGURATIONS = pa.schema([("key", pa.string()), ("state", pa.string())])


class ChangeBuffer:
    """Rows that wait until no earlier row can come."""

    def __init__(self) -> None:
        self._rows = pl.DataFrame()

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def nbytes(self) -> int:
        """About how many bytes the rows take."""
        return int(self._rows.estimated_size())

    def median_time(self) -> int:
        """When half of the rows were, in microseconds since 1970."""
        return int(np.median(self._rows["time"].to_physical().to_numpy()))

    def add(self, rows: pl.DataFrame) -> None:
        """Keep rows with `time` and `event_hash`; all must have the same columns."""
        self._rows = pl.concat([self._rows, rows]) if self._rows.width else rows

    def release(self, watermark_us: int) -> pl.DataFrame:
        """Give and forget the rows before the watermark, by (`time`, `event_hash`).

        A row at the very watermark (microseconds since 1970) waits: another one of that instant may still come.
        """
        if self._rows.is_empty():
            return self._rows
        due = self._rows["time"].to_physical() < watermark_us
        released = self._rows.filter(due).sort("time", "event_hash")
        self._rows = self._rows.filter(~due)
        return released

    def export(self) -> pa.Table:
        """The waiting rows, to keep."""
        return self._rows.to_arrow()

    def restore(self, table: pa.Table) -> None:
        """Replace the waiting rows by what `export` gave."""
        self._rows = pl.DataFrame(table)


class Configurations:
    """The last known configuration of each key, for one detector.

    States are kept as JSON text, so that a judge sees the same after a restart as before it.

    Attributes:
        problems: rows that the judge failed on: the latest `PROBLEMS_KEPT`.
    """

    def __init__(self) -> None:
        self._states: dict[str, str] = {}
        """In the order in which they were last set."""
        self._text_bytes = 0
        self.problems: deque[DetectorError] = deque(maxlen=PROBLEMS_KEPT)

    def __len__(self) -> int:
        return len(self._states)

    @property
    def nbytes(self) -> int:
        """About how many bytes keys and states take."""
        return self._text_bytes + _ENTRY_BYTES * len(self._states)

    def forget_oldest(self) -> int:
        """Drop the half that was not set for the longest, at least one. Returns how many."""
        gone = list(self._states)[: (len(self._states) + 1) // 2]
        for key in gone:
            self._set(key, None)
        return len(gone)

    def _set(self, key: str, state: str | None) -> None:
        before = self._states.pop(key, None)
        if before is not None:
            self._text_bytes -= len(key) + len(before)
        if state is not None:
            self._states[key] = state
            self._text_bytes += len(key) + len(state)

    def judge_all(self, detector: ChangeDetector, rows: pl.DataFrame) -> list[tuple[Row, Judgement]]:
        """Judge rows one after the other, each against the configuration that those before it left.

        A row that the judge fails on is a problem and is left out: whoever can write such a row must not be able to
        silence the detector for the others.
        """
        columns = _Columns(rows)
        judged: list[tuple[Row, Judgement]] = []
        for row in (_RowView(columns, index) for index in range(len(rows))):
            try:
                judged.append((row, self._judge(detector, row)))
            except Exception as error:  # whatever the code of a rule of somebody's own raises, the other changes count
                reason = f"cannot judge the change at {row['time']}: {error!r}"
                self.problems.append(DetectorError(detector.finding_type, reason))
        return judged

    def _judge(self, detector: ChangeDetector, row: Row) -> Judgement:
        if row["is_late"]:
            # It may come before or after later ones were judged, which is chance: so it is judged as if nothing were
            # known, and leaves no configuration behind.
            return detector.judge(row, None)
        key = _to_json([row[column] for column in detector.key])
        known = self._states.get(key)
        judgement = detector.judge(row, None if known is None else msgspec.json.decode(known))
        self._set(key, None if judgement.state is None else _to_json(judgement.state))
        return judgement

    def export(self) -> pa.Table:
        """All keys and their configuration as JSON text, to keep."""
        return pa.table([list(self._states), list(self._states.values())], schema=_CONFIGURATIONS)

    def restore(self, table: pa.Table) -> None:
        """Replace what is known by what `export` gave.

        Raises:
            ValueError: the table is of another kind.
        """
        if table.schema != _CONFIGURATIONS:
            raise ValueError(f"expected {_CONFIGURATIONS.to_string()}, not {table.schema.to_string()}")
        self._states, self._text_bytes = {}, 0
        for key, state in zip(table.column("key").to_pylist(), table.column("state").to_pylist(), strict=True):
            self._set(key, state)


class _Columns(dict[str, list[Any]]):
    """Columns of a frame as Python values, each made when it is first asked for: judges look at few of the many."""

    def __init__(self, frame: pl.DataFrame) -> None:
        super().__init__()
        self.frame = frame

    def __missing__(self, name: str) -> list[Any]:
        values = self[name] = self.frame[name].to_list()
        return values


class _RowView(Mapping[str, Any]):
    """One row of `_Columns`."""

    __slots__ = ("_columns", "_index")

    def __init__(self, columns: _Columns, index: int) -> None:
        self._columns, self._index = columns, index

    def __getitem__(self, name: str) -> Any:
        return self._columns[name][self._index]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns.frame.columns)

    def __len__(self) -> int:
        return self._columns.frame.width


def _to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
