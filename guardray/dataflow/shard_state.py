"""What a shard remembers, and the named Arrow tables it is kept in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

import polars as pl
import pyarrow as pa

from guardray.context.enrich import enriched_columns
from guardray.dataflow.definitions import defined, is_defined_otherwise
from guardray.dataflow.windowing import window_table
from guardray.detectors.activity import Activity
from guardray.detectors.declare import ChangeDetector, WindowDetector
from guardray.errors import DetectorError, SnapshotError
from guardray.shards.activities import OPEN, ActivityTable
from guardray.shards.changes import ChangeBuffer, Configurations
from guardray.shards.deduplicator import Deduplicator
from guardray.shards.directory import EntityDirectory
from guardray.shards.objects import ObjectRegister
from guardray.shards.windows import WindowTable


class _Part(NamedTuple):
    """How one table is made, and how an empty state takes it back; that raises ValueError where it does not fit."""

    export: Callable[[], pa.Table]
    restore: Callable[[pa.Table], None]


_ANEW = "what was kept of it is left out, and it begins anew: {}"


class ShardState:
    """All state of one shard, empty at first.

    Its tables are named `entities`, `events` and `objects`, and once a detector `windows/`, `crossed/`, `changes/` or
    `configurations/` and the finding type as it is spelled. Those of an activity are `activities/`, its name and what
    they hold. A name is a label, never a path.

    Attributes:
        windows: windows that are still open, by finding type.
        crossed: windows that closed and wait to be decided, as `WindowTable.frame` gives them, by finding type.
        buffers: configuration changes that wait for earlier ones, by finding type.
        configurations: the last known configurations, by finding type.
        activities: periods that are open and what was learned, by activity.
        entities: what is known of the interfaces.
        seen: events that were delivered before.
        objects: the objects that were asked for.
    """

    def __init__(
        self,
        windows: Mapping[str, WindowDetector],
        changes: Mapping[str, ChangeDetector],
        activities: Iterable[Activity] = (),
    ) -> None:
        self._columns = {name: enriched_columns(detector.schema) for name, detector in changes.items()}
        self._window_detectors = dict(windows)
        self._definitions = {activity.name: activity for activity in activities}
        self.windows: dict[str, WindowTable] = {}
        self.crossed: dict[str, pl.DataFrame] = {}
        self.buffers: dict[str, ChangeBuffer] = {}
        self.configurations: dict[str, Configurations] = {}
        self.activities: dict[str, ActivityTable] = {}
        for name in (*windows, *changes, *self._definitions):
            self.begin_anew(name)
        self.entities = EntityDirectory()
        self.seen = Deduplicator()
        self.objects = ObjectRegister()

    def export(self) -> dict[str, pa.Table]:
        """A copy of everything, which stays as it is when the state goes on."""
        every = [self._shared(), *(parts for _, parts in self._of_detectors())]
        return {name: part.export() for parts in every for name, part in parts.items()}

    def begin_anew(self, name: str) -> None:
        """Forget all that is kept for a detector, by its finding type, or for an activity, by its name."""
        if name in self._window_detectors:
            self.windows[name] = window_table(self._window_detectors[name])
            self.crossed[name] = self.windows[name].frame()
        elif name in self._columns:
            self.buffers[name], self.configurations[name] = ChangeBuffer(), Configurations()
        elif name in self._definitions:
            self.activities[name] = ActivityTable(self._definitions[name])

    def restore(self, tables: Mapping[str, pa.Table]) -> list[DetectorError]:
        """Fill empty state with what `export` gave. See `Shard.restore`. Returns who had to begin anew, and why."""
        _restore(self._shared(), tables)
        anew = []
        for name, parts in dict(self._of_detectors()).items():
            if parts.keys() & tables.keys():
                try:
                    self._check_definition(name, tables)
                    _restore(parts, tables)
                except SnapshotError as error:
                    self.begin_anew(name)
                    anew.append(DetectorError(name, _ANEW.format(error)))
        return anew

    def _check_definition(self, name: str, tables: Mapping[str, pa.Table]) -> None:
        activity = self._definitions.get(name)
        if activity is None:
            return
        kept = (table for of, table in tables.items() if of.startswith(f"activities/{name}/"))
        if any(is_defined_otherwise(table, activity) for table in kept):
            raise SnapshotError(f"activities/{name}", "it is of another definition")

    def learned(self) -> dict[str, pa.Table]:
        """What detectors learned and may know beforehand another time: configurations and habits."""
        return {
            name: part.export()
            for _, parts in self._of_detectors()
            for name, part in parts.items()
            if _is_learned(name)
        }

    def know(self, learned: Mapping[str, pa.Table]) -> None:
        """Take in what `learned` gave, of those detectors that there are.

        Raises:
            SnapshotError: a table is of other columns than the detector's, or some of an activity's are missing: to
                those who have a history, all values of a habit that was never learned would be new.
        """
        for _, parts in self._of_detectors():
            known = {name: part for name, part in parts.items() if _is_learned(name)}
            if known.keys() & learned.keys():
                _restore(known, learned)

    def _shared(self) -> dict[str, _Part]:
        return {
            "entities": _Part(self.entities.export, self.entities.merge),
            "events": _Part(self.seen.export, self.seen.restore),
            "objects": _Part(self.objects.export, self.objects.restore),
        }

    def _of_detectors(self) -> Iterator[tuple[str, dict[str, _Part]]]:
        """The parts of one detector or activity after the other, by its name."""
        for name, table in self.windows.items():
            yield (
                name,
                {
                    f"windows/{name}": _Part(partial(table.export, clear=False), table.restore),
                    f"crossed/{name}": _Part(self.crossed[name].to_arrow, partial(self._restore_crossed, name)),
                },
            )
        for name, buffer in self.buffers.items():
            known = self.configurations[name]
            yield (
                name,
                {
                    f"changes/{name}": _Part(buffer.export, partial(self._restore_changes, name)),
                    f"configurations/{name}": _Part(known.export, known.restore),
                },
            )
        for name, activity in self.activities.items():
            yield (
                name,
                {
                    f"activities/{name}/{table}": _Part(
                        partial(self._export_activity, name, table), partial(self._restore_activity, activity, table)
                    )
                    for table in activity.names
                },
            )

    def _export_activity(self, name: str, table: str) -> pa.Table:
        return defined(self.activities[name].export(table), self._definitions[name])

    def _restore_crossed(self, name: str, table: pa.Table) -> None:
        _check_columns(table, self.crossed[name].schema)
        self.crossed[name] = pl.DataFrame(table)

    def _restore_activity(self, activity: ActivityTable, name: str, table: pa.Table) -> None:
        _check_columns(table, activity.schema(name))
        activity.restore(name, table)

    def _restore_changes(self, name: str, table: pa.Table) -> None:
        # A buffer that never held a row does not know its columns.
        if table.num_columns:
            _check_columns(table, self._columns[name])
            self.buffers[name].restore(table)


def _is_learned(name: str) -> bool:
    return name.startswith(("configurations/", "activities/")) and not name.endswith(f"/{OPEN}")


def _restore(parts: Mapping[str, _Part], tables: Mapping[str, pa.Table]) -> None:
    for name, part in parts.items():
        if name not in tables:
            raise SnapshotError(name, "the snapshot lacks this table")
        try:
            part.restore(tables[name])
        except ValueError as error:
            raise SnapshotError(name, f"it is not what this program keeps: {error}") from error


def _check_columns(table: pa.Table, expected: pl.Schema) -> None:
    schema = pl.DataFrame(table.schema.empty_table()).schema
    if schema != expected:
        raise ValueError(f"expected {expected}, not {schema}")
