"""Configuration changes in the order of their time: the state behind `guardray.detectors.declare.ChangeDetector`."""

from __future__ import annotations

from typing import Any

import msgspec
import polars as pl
import pyarrow as pa

from guardray.detectors.declare import ChangeDetector, Judgement

_CONFIGURATIONS = pa.schema([("key", pa.string()), ("state", pa.string())])


class ChangeBuffer:
    """Rows that wait until no earlier row can come."""

    def __init__(self) -> None:
        self._rows = pl.DataFrame()

    def __len__(self) -> int:
        return len(self._rows)

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
    """

    def __init__(self) -> None:
        self._states: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._states)

    def judge_all(self, detector: ChangeDetector, rows: pl.DataFrame) -> list[tuple[dict[str, Any], Judgement]]:
        """Judge rows one after the other, each against the configuration that those before it left."""
        return [(row, self._judge(detector, row)) for row in rows.iter_rows(named=True)]

    def _judge(self, detector: ChangeDetector, row: dict[str, Any]) -> Judgement:
        key = _to_json([row[column] for column in detector.key])
        known = self._states.get(key)
        judgement = detector.judge(row, None if known is None else msgspec.json.decode(known))
        if judgement.state is None:
            self._states.pop(key, None)
        else:
            self._states[key] = _to_json(judgement.state)
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
        self._states = dict(zip(table.column("key").to_pylist(), table.column("state").to_pylist(), strict=True))


def _to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
