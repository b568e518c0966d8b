"""What was learned from logs of the past, kept in a folder, so that a scan knows what is usual from its first event."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from guardray.dataflow.definitions import defined, definition_of
from guardray.detectors.activity import LAST_DAY, Activity
from guardray.errors import SnapshotError
from guardray.shards.snapshot import read_snapshot, write_snapshot

_REFUSAL = (
    "what the baseline knows of {} is left out: it was learned with another definition of it, by another version of "
    "this program or of the detection; train again"
)


@dataclass(frozen=True)
class Baseline:
    """The last known configurations and the habits, as tables that `Shard.learned` names.

    Attributes:
        tables: by name: `configurations/` and a finding type, or `activities/`, an activity and one of its tables.
    """

    tables: Mapping[str, pa.Table] = field(default_factory=dict)

    @property
    def last_day(self) -> date | None:
        """The latest day that habits were learned from; None where there are none."""
        tables = (table for table in self.tables.values() if LAST_DAY in table.column_names and table.num_rows)
        return max((pc.max(table[LAST_DAY]).as_py() for table in tables), default=None)

    @classmethod
    def open(cls, folder: Path) -> Baseline:
        """What `save` wrote.

        Raises:
            SnapshotError: it is missing, damaged or of another version.
        """
        return cls(read_snapshot(str(folder)))

    @staticmethod
    def is_kept(folder: Path) -> bool:
        """Whether the folder is there. What a `save` that was killed had moved away is put back."""
        old = folder.with_name(folder.name + ".old")
        if not folder.exists() and old.exists():
            old.rename(folder)
        elif old.exists():
            _move_beside(old, folder)
        return folder.exists()

    def save(self, folder: Path) -> None:
        """Write to a folder, in place of what `save` wrote there before. What is kept beside it stays: models and rows.

        Raises:
            SnapshotError: the folder holds something else, or cannot be written.
        """
        if Baseline.is_kept(folder):
            Baseline.open(folder)
        new, old = folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")
        try:
            for left in (new, old):  # by a process that was killed
                shutil.rmtree(left, ignore_errors=True)
            write_snapshot(str(new), self.tables)
            if folder.exists():
                folder.rename(old)
            new.rename(folder)
            if old.exists():
                _move_beside(old, folder)
            shutil.rmtree(old, ignore_errors=True)
        except OSError as error:
            raise SnapshotError(str(folder), str(error)) from error

    def defined(self, activities: Iterable[Activity]) -> Baseline:
        """The same, where the tables of these activities tell that they were learned with their definitions."""
        by_name: dict[str | None, Activity] = {activity.name: activity for activity in activities}
        tables = dict(self.tables)
        for name, table in tables.items():
            if (activity := by_name.get(_activity(name))) is not None:
                tables[name] = defined(table, activity)
        return Baseline(tables)

    def fitting(self, activities: Iterable[Activity]) -> tuple[Baseline, list[str]]:
        """Without what was learned of these activities with other definitions, which would be taken for another thing.

        Returns:
            The rest, and for each activity that was left out one line of why and what to do.
        """
        unfit = [one.name for one in activities if self._definitions(one.name) - {one.definition}]
        kept = {name: table for name, table in self.tables.items() if _activity(name) not in unfit}
        return Baseline(kept), [_REFUSAL.format(name) for name in unfit]

    def _definitions(self, activity: str) -> set[str | None]:
        return {definition_of(table) for name, table in self.tables.items() if _activity(name) == activity}

    @classmethod
    def of(cls, parts: Iterable[Baseline]) -> Baseline:
        """One of the parts that several shards learned."""
        by_name: dict[str, list[pa.Table]] = {}
        for part in parts:
            for name, table in part.tables.items():
                by_name.setdefault(name, []).append(table)
        return cls({name: pa.concat_tables(tables).combine_chunks() for name, tables in by_name.items()})


def _move_beside(old: Path, folder: Path) -> None:
    """What is kept beside the tables in the old folder, to the one in its place."""
    for path in (path for path in old.iterdir() if path.is_dir()):
        if not (folder / path.name).exists():
            path.rename(folder / path.name)


def _activity(table: str) -> str | None:
    """The activity that a table of that name was learned of; None for configurations."""
    kind, _, rest = table.partition("/")
    return rest.rpartition("/")[0] if kind == "activities" else None
