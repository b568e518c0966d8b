"""What an ingest worker learned from some objects: all that travels to the shards. Raw rows do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

import msgspec
import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from guardray.dataflow.baseline import Baseline
from guardray.detectors.declare import ChangeDetector, Detector, activities_of
from guardray.findings.sighting import Sighting
from guardray.shards.partition import shard_of, split
from guardray.stats.hashing import hash_strings


@dataclass
class Partials:
    """Mergeable results of ingest, by finding type.

    Attributes:
        sightings: hits of rules without state, complete in themselves.
        changes: rows that change or show a configuration, by finding type.
        activities: rows of activities, by activity, as `guardray.shards.activity_rows.summarise` gives them.
        windows: partial aggregates, as `WindowTable.export` gives them.
        entities: what was learned of the interfaces, as `EntityDirectory.export` gives it.
        assets: facts of the inventory.
    """

    sightings: list[Sighting] = field(default_factory=list)
    changes: dict[str, pl.DataFrame] = field(default_factory=dict)
    activities: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    windows: dict[str, pa.Table] = field(default_factory=dict)
    entities: pa.Table | None = None
    assets: list[pl.DataFrame] = field(default_factory=list)

    def split(self, shards: int, owners: Owners) -> list[Partials]:
        """The state-bound part for each of `shards` shards, by key group; sightings and assets stay with the caller."""
        if shards == 1:
            return [
                Partials(changes=self.changes, activities=self.activities, windows=self.windows, entities=self.entities)
            ]
        parts = [Partials() for _ in range(shards)]
        for finding_type, table in self.windows.items():
            for part, piece in zip(parts, split(table, shards), strict=True):
                part.windows[finding_type] = piece
        for finding_type, rows in self.changes.items():
            for part, mine in zip(parts, split_rows(rows, owners.changes[finding_type], shards), strict=True):
                part.changes[finding_type] = mine
        for name, tables in self.activities.items():
            pieces = [split_rows(rows, owners.activities[name], shards) for rows in tables]
            for shard, part in enumerate(parts):
                part.activities[name] = [of_table[shard] for of_table in pieces]
        if self.entities is not None:
            for part, piece in zip(parts, split(self.entities, shards), strict=True):
                part.entities = piece
        return parts


@dataclass(frozen=True)
class Owners:
    """The columns by which rows go to their shard.

    Attributes:
        changes: the key of the configuration, by finding type.
        activities: the owner, by activity.
    """

    changes: Mapping[str, tuple[str, ...]]
    activities: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, detectors: Iterable[Detector]) -> Owners:
        """Those of these detectors."""
        every = tuple(detectors)
        return cls(
            changes={d.finding_type: d.key for d in every if isinstance(d, ChangeDetector)},
            activities={activity.name: activity.owner for activity in activities_of(every)},
        )


def split_rows(rows: pl.DataFrame, key: tuple[str, ...], shards: int) -> list[pl.DataFrame]:
    """The rows that each shard owns by these columns, in their order."""
    owners = shard_of_rows(rows, key, shards)
    return [rows.filter(owners == shard) for shard in range(shards)]


def shard_of_rows(rows: pl.DataFrame, key: tuple[str, ...], shards: int) -> pl.Series:
    """Which shard owns what each row speaks of, which these columns name: Int64 [n]."""
    return pl.Series(shard_of(owner_hashes(rows, key), shards))


def owner_hashes(rows: pl.DataFrame, key: tuple[str, ...]) -> NDArray[np.uint64]:
    """Hashes of what each row speaks of, which these columns name, to tell its key group by: uint64 [n]."""
    texts = rows.select(pl.concat_str([pl.col(c).cast(pl.String).fill_null("-") for c in key], separator="|"))
    return hash_strings(texts.to_series())


def split_baseline(baseline: Baseline, shards: int, owners: Owners) -> list[Baseline]:
    """What each of `shards` shards owns of a baseline; what no detector asks for is left out."""
    parts: list[dict[str, pa.Table]] = [{} for _ in range(shards)]
    for name, table in baseline.tables.items():
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
    at = configuration_keys(table, key).with_row_index("_at")
    return [table.take(piece["_at"].to_arrow()) for piece in split_rows(at, key, shards)]


def configuration_keys(table: pa.Table, key: tuple[str, ...]) -> pl.DataFrame:
    """The key of each configuration that `Configurations.export` gave, as these columns."""
    keys = [msgspec.json.decode(text) for text in table["key"].to_pylist()]
    return (
        pl.DataFrame(keys, schema=[*key], orient="row") if keys else pl.DataFrame(schema=dict.fromkeys(key, pl.String))
    )
