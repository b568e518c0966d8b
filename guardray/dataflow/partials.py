"""What an ingest worker learned from some objects: all that travels to the shards. Raw rows do not."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa

from guardray.detectors.declare import ChangeDetector
from guardray.findings.sighting import Sighting
from guardray.shards.partition import shard_of, split
from guardray.stats.hashing import hash_strings


@dataclass
class Partials:
    """Mergeable results of ingest, by finding type.

    Attributes:
        sightings: hits of rules without state, complete in themselves.
        changes: rows that change or show a configuration, by finding type.
        windows: partial aggregates, as `WindowTable.export` gives them.
        entities: what was learned of the interfaces, as `EntityDirectory.export` gives it.
        assets: facts of the inventory.
    """

    sightings: list[Sighting] = field(default_factory=list)
    changes: dict[str, pl.DataFrame] = field(default_factory=dict)
    windows: dict[str, pa.Table] = field(default_factory=dict)
    entities: pa.Table | None = None
    assets: list[pl.DataFrame] = field(default_factory=list)

    def split(self, shards: int, detectors: dict[str, ChangeDetector]) -> list[Partials]:
        """The state-bound part for each of `shards` shards, by key group; sightings and assets stay with the caller."""
        if shards == 1:
            return [Partials(changes=self.changes, windows=self.windows, entities=self.entities)]
        parts = [Partials() for _ in range(shards)]
        for finding_type, table in self.windows.items():
            for part, piece in zip(parts, split(table, shards), strict=True):
                part.windows[finding_type] = piece
        for finding_type, rows in self.changes.items():
            owners = shard_of_rows(rows, detectors[finding_type].key, shards)
            for (owner,), piece in rows.with_columns(owners.alias("_owner")).group_by("_owner", maintain_order=True):
                parts[int(str(owner))].changes[finding_type] = piece.drop("_owner")
        if self.entities is not None:
            for part, piece in zip(parts, split(self.entities, shards), strict=True):
                part.entities = piece
        return parts


def shard_of_rows(rows: pl.DataFrame, key: tuple[str, ...], shards: int) -> pl.Series:
    """Which shard owns the configuration that each row speaks of: Int64 [n]."""
    texts = rows.select(pl.concat_str([pl.col(c).cast(pl.String).fill_null("-") for c in key], separator="|"))
    return pl.Series(shard_of(hash_strings(texts.to_series()), shards))
