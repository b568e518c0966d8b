"""What was learned from logs of the past, kept in a folder, so that a scan knows what is usual from its first event."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import msgspec
import polars as pl
import pyarrow as pa

from guardray.dataflow.partials import Owners, split_rows
from guardray.errors import SnapshotError
from guardray.shards.snapshot import read_snapshot, write_snapshot


@dataclass(frozen=True)
class Baseline:
    """The last known configurations and the habits, as tables that `Shard.learned` names.

    Attributes:
        tables: by name: `configurations/` and a finding type, or `activities/`, an activity and one of its tables.
    """

    tables: Mapping[str, pa.Table] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path) -> Baseline:
        """What `save` wrote.

        Raises:
            SnapshotError: it is missing, damaged or of another version.
        """
        return cls(read_snapshot(str(folder)))

    def save(self, folder: Path) -> None:
        """Write to a folder, in place of what `save` wrote there before.

        Raises:
            SnapshotError: the folder holds something else, or cannot be written.
        """
        if folder.exists():
            Baseline.open(folder)
        new, old = folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")
        try:
            for left in (new, old):  # by a process that was killed
                shutil.rmtree(left, ignore_errors=True)
            write_snapshot(str(new), self.tables)
            if folder.exists():
                folder.rename(old)
            new.rename(folder)
            shutil.rmtree(old, ignore_errors=True)
        except OSError as error:
            raise SnapshotError(str(folder), str(error)) from error

    @classmethod
    def of(cls, parts: Iterable[Baseline]) -> Baseline:
        """One of the parts that several shards learned."""
        by_name: dict[str, list[pa.Table]] = {}
        for part in parts:
            for name, table in part.tables.items():
                by_name.setdefault(name, []).append(table)
        return cls({name: pa.concat_tables(tables).combine_chunks() for name, tables in by_name.items()})

    def split(self, shards: int, owners: Owners) -> list[Baseline]:
        """What each of `shards` shards owns; what no detector asks for is left out."""
        parts: list[dict[str, pa.Table]] = [{} for _ in range(shards)]
        for name, table in self.tables.items():
            kind, _, rest = name.partition("/")
            if kind == "configurations" and rest in owners.changes:
                pieces = _split_configurations(table, owners.changes[rest], shards)
            elif kind == "activities" and (owner := owners.activities.get(rest.rpartition("/")[0])):
                frame = cast("pl.DataFrame", pl.from_arrow(table))
                pieces = [piece.to_arrow() for piece in split_rows(frame, owner, shards)]
            else:
                continue
            for part, piece in zip(parts, pieces, strict=True):
                part[name] = piece
        return [Baseline(part) for part in parts]


def _split_configurations(table: pa.Table, key: tuple[str, ...], shards: int) -> list[pa.Table]:
    keys = [msgspec.json.decode(text) for text in table["key"].to_pylist()]
    rows = (
        pl.DataFrame(keys, schema=[*key], orient="row") if keys else pl.DataFrame(schema=dict.fromkeys(key, pl.String))
    )
    at = rows.with_row_index("_at")
    return [table.take(piece["_at"].to_arrow()) for piece in split_rows(at, key, shards)]
