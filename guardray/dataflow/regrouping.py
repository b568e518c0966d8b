"""To which key group the rows of a snapshot belong: for other numbers of shards, and to cut what does not change.

The names of tables are those of `guardray.dataflow.shard_state.ShardState`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import cast

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from guardray.dataflow.partials import Owners, configuration_keys, owner_hashes
from guardray.shards.partition import SUBJECT, shard_of

_EVENTS, _OBJECTS = "events", "objects"

PIECE_BYTES = 1 << 20
"""About how much a piece of a cut table holds, in memory: less than that is not worth a file of its own."""

MOST_RANGES = 32
"""Ranges of key groups that a table is cut into at most: a shard of very much state still writes few files."""

EVENTS_A_PIECE = PIECE_BYTES // 16
"""Hashes of events are only ever added, in their order: runs that are full change no more until their day is over."""


class Cutter:
    """Cuts tables of a shard for `guardray.checkpoints.parts.write_part`, so that what did not change stays as it was.

    Args:
        owners: of the detectors.
    """

    def __init__(self, owners: Owners) -> None:
        self._owners = owners

    def __call__(self, name: str, table: pa.Table) -> list[pa.Table]:
        """The pieces of a table, at least one."""
        if table.nbytes <= PIECE_BYTES:
            return [table]
        if name == _EVENTS:
            return list(_runs(table))
        hashes = _hashes(name, table, self._owners)
        if hashes is None:
            return [table]
        if name.startswith("activities/"):
            table, hashes = _in_fixed_order(table, hashes)
        ranges = min(MOST_RANGES, 1 << int(np.ceil(np.log2(table.nbytes / PIECE_BYTES))))
        return _ranged(table, shard_of(hashes, ranges), ranges)


def regroup(parts: Sequence[Mapping[str, pa.Table]], shards: int, owners: Owners) -> list[dict[str, pa.Table]]:
    """The snapshot of each of `shards` shards, from those of any other number of them.

    Each table holds the rows of its shard, as `Shard.restore` takes them. State of detectors that are not among the
    owners is left out, as `Shard.restore` does.

    Args:
        parts: what `Shard.snapshot` gave, of all shards.
        owners: of the detectors.
    """
    regrouped: list[dict[str, pa.Table]] = [{} for _ in range(shards)]
    for name in dict.fromkeys(name for part in parts for name in part):
        table = _joined(part[name] for part in parts if name in part)
        owner = _owner(name, table, shards, owners)
        if owner is None:
            continue
        for part, piece in zip(regrouped, _ranged(table, owner, shards, empty=True), strict=True):
            part[name] = piece
    return regrouped


def _joined(tables: Iterable[pa.Table]) -> pa.Table:
    every = list(tables)
    # A buffer of changes that never held a row does not know its columns.
    known = [table for table in every if table.num_columns] or every[:1]
    return pa.concat_tables(known).unify_dictionaries().combine_chunks()


def _owner(name: str, table: pa.Table, shards: int, owners: Owners) -> NDArray[np.int64] | None:
    """Which shard each row belongs to: int64 [n]. None for the state of a detector that is gone."""
    if name == _OBJECTS:  # whole objects are told apart by any shard; see `first_object` in guardray.runtime
        digests: NDArray[np.uint64] = table["digest"].to_numpy()
        return (digests % np.uint64(shards)).astype(np.int64)
    hashes = _hashes(name, table, owners)
    return None if hashes is None else shard_of(hashes, shards)


def _hashes(name: str, table: pa.Table, owners: Owners) -> NDArray[np.uint64] | None:
    """What tells the key group of each row: uint64 [n]. None for the state of a detector that is gone."""
    if not table.num_columns:
        return np.empty(0, dtype=np.uint64)
    kind, _, of = name.partition("/")
    if SUBJECT in table.column_names and kind in ("entities", "windows", "crossed"):
        return cast("NDArray[np.uint64]", table[SUBJECT].to_numpy())
    if name in (_EVENTS, _OBJECTS):
        return cast("NDArray[np.uint64]", table["hash" if name == _EVENTS else "digest"].to_numpy())
    key = owners.activities.get(of.rpartition("/")[0]) if kind == "activities" else owners.changes.get(of)
    if key is None:
        return None
    if kind != "configurations" and not set(key) <= set(table.column_names):
        # Of another definition: whichever shard gets it refuses it, and says so.
        return np.zeros(table.num_rows, dtype=np.uint64)
    rows = configuration_keys(table, key) if kind == "configurations" else pl.DataFrame(table.select(list(key)))
    return owner_hashes(rows, key)


def _in_fixed_order(table: pa.Table, hashes: NDArray[np.uint64]) -> tuple[pa.Table, NDArray[np.uint64]]:
    """Sorted by all columns of plain values: what is learned is grouped anew each day, in an order of chance."""
    frame = pl.DataFrame(table)
    plain = [name for name, dtype in frame.schema.items() if not dtype.is_nested()]
    order = frame.select(pl.arg_sort_by(plain)).to_series().to_numpy()
    return table.take(order), hashes[order]


def _ranged(table: pa.Table, owner: NDArray[np.int64], ranges: int, *, empty: bool = False) -> list[pa.Table]:
    """The rows of each owner, which keep their order.

    Args:
        owner: int64 [n], below `ranges`.
        empty: also a table for each owner that has no rows.
    """
    order = np.argsort(owner, kind="stable")
    ends = np.searchsorted(owner[order], np.arange(ranges + 1))
    pieces = [table.take(order[start:end]) for start, end in pairwise(ends) if empty or end > start]
    return pieces or [table]


def _runs(table: pa.Table) -> Iterable[pa.Table]:
    """Events by day, and of a day in runs of a fixed length."""
    days = table["day"].to_numpy()
    starts = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(days)]
    for start, end in pairwise(starts):
        for at in range(start, end, EVENTS_A_PIECE):
            yield table.slice(at, min(EVENTS_A_PIECE, end - at))
