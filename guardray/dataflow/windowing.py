"""From rows of a batch to the windows of a detector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from guardray.context.enrich import enriched_columns
from guardray.dataflow.event_time import microseconds_of
from guardray.detectors.declare import WindowDetector
from guardray.shards.directory import EntityDirectory
from guardray.shards.nulls import to_numpy
from guardray.shards.windows import WindowTable
from guardray.stats.hashing import hash_strings

_PLACE = ("cloud_account_uid", "cloud_region", "vpc_uid", "subnet_uid")


def window_table(detector: WindowDetector) -> WindowTable:
    """The state that a window detector needs, empty."""
    dtypes = enriched_columns(detector.schema)
    key = {column: np.dtype(str(dtypes[column]).lower()) for column in detector.key}
    return WindowTable(key, detector.measures, detector.window, detector.hop)


@dataclass(frozen=True)
class Tables:
    """State that rows are counted into.

    Attributes:
        windows: by finding type.
        entities: what is known of the interfaces.
    """

    windows: Mapping[str, WindowTable]
    entities: EntityDirectory


class WindowCounter:
    """Counts rows into the windows of one detector: in `table`, or in one of its own."""

    def __init__(self, detector: WindowDetector, table: WindowTable | None = None) -> None:
        self.table = window_table(detector) if table is None else table
        self._key = detector.key
        self._measured = detector.measured_columns
        self._columns = list(dict.fromkeys(("time", "end_time", *self._key, *self._measured)))

    def count(self, frame: pl.DataFrame, mask: pl.Series, subjects: np.ndarray) -> None:
        """Counts the rows where the mask is true.

        Args:
            frame: an enriched batch.
            mask: Boolean [n], without nulls.
            subjects: uint64 [n], `subject_hashes` of the batch.
        """
        rows = frame.select(self._columns).filter(mask)
        self.table.update(
            subjects[mask.to_numpy()],
            {column: rows[column].to_numpy() for column in self._key},
            microseconds_of(rows["time"]),
            microseconds_of(rows["end_time"]),
            {column: to_numpy(rows[column]) for column in self._measured},
        )


def subject_hashes(frame: pl.DataFrame) -> np.ndarray:
    """Stable hash of each row's interface: uint64 [n].

    Logs may be set up to leave the interface out. Its account, Region and subnet then stand in, so that at least
    networks that use the same private addresses are kept apart.
    """
    uids = frame["interface_uid"]
    hashes = hash_strings(uids)
    if uids.null_count():
        unknown = uids.is_null()
        place = [pl.col(name).fill_null("-") for name in _PLACE]
        hashes[unknown.to_numpy()] = hash_strings(frame.filter(unknown).select(pl.concat_str(place)).to_series())
    return hashes
