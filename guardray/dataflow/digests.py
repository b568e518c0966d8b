"""A stable hash of each row, which orders rows of one instant."""

from __future__ import annotations

import numpy as np
import polars as pl

from guardray.schema import EventSchema, api_activity, network_activity
from guardray.stats.hashing import hash_combine, hash_strings


def with_digest(rows: pl.DataFrame, schema: EventSchema) -> pl.DataFrame:
    """The rows with `digest` (UInt64) and `last_seen`, the end of what each tells of."""
    last = "end_time" if schema == network_activity.SCHEMA else "time"
    return rows.with_columns(pl.Series("digest", digests(rows, schema)), pl.col(last).alias("last_seen"))


def digests(frame: pl.DataFrame, schema: EventSchema) -> np.ndarray:
    """uint64 [n]: the hash that an event has anyway, else one of all columns of the schema.

    Rows that only differ in a null and a zero have one digest, and so does the order between them stay open; nothing
    that a finding tells depends on it.
    """
    if schema == api_activity.SCHEMA:
        return frame["event_hash"].to_numpy()
    return hash_combine(*(_words(frame[name]) for name in schema.polars.names()))


def _words(column: pl.Series) -> np.ndarray:
    kind = column.dtype
    if isinstance(kind, pl.List):
        return hash_strings(pl.select(pl.struct(column).struct.json_encode()).to_series())
    if kind in (pl.String, pl.Categorical) or isinstance(kind, pl.Enum):
        return hash_strings(column)
    return column.to_physical().cast(pl.Int64).fill_null(0).to_numpy()
