"""Windows: closed at the watermark, and decided once it is known which end of their connection is ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from guardray.dataflow.eviction import Evictable
from guardray.dataflow.hits import sightings_of
from guardray.dataflow.shard_state import ShardState
from guardray.dataflow.switching_off import Fuses
from guardray.detectors.declare import WindowDetector
from guardray.errors import DetectorError
from guardray.findings.sighting import Sighting
from guardray.shards.windows import WindowTable
from guardray.stats.hashing import hash_combine

PATIENCE = 86_400_000_000
"""How long a closed window waits for a row that tells which end of its connection is ours, in microseconds. The next
row with another remote address does; an interface that has none in a day will have none soon."""


class Windows:
    """The detectors of windows, and the state that they look at.

    Args:
        detectors: by finding type.
        state: of the shard.
        fuses: of the detectors.

    Attributes:
        failed: by finding type, why its condition could not be evaluated.
    """

    def __init__(self, detectors: Mapping[str, WindowDetector], state: ShardState, fuses: Fuses) -> None:
        self._detectors, self._state, self._fuses = detectors, state, fuses
        self._early: list[Sighting] = []
        """What was decided before its time, to make room."""
        self.failed: dict[str, DetectorError] = {}

    def close(self, watermark: int) -> None:
        """Closes those that end before the watermark (microseconds). What has crossed waits to be decided."""
        for finding_type, table in self._fuses.whole(self._state.windows):
            with self._fuses.of(finding_type):
                self._close(finding_type, table, watermark)

    def decide(self, watermark: int) -> list[Sighting]:
        """See `Shard.decide`."""
        sightings, self._early = self._early, []
        for finding_type, detector in self._fuses.whole(self._detectors):
            with self._fuses.of(finding_type):
                waiting = self._state.crossed[finding_type]
                if waiting.height:
                    is_ripe = self._is_ripe(detector, waiting, watermark)
                    self._state.crossed[finding_type] = waiting.filter(~is_ripe)
                    sightings.extend(self._decide(detector, waiting.filter(is_ripe)))
        return sightings

    def finish(self) -> list[Sighting]:
        """Decides all that waits, with what is now known of the interfaces."""
        sightings, self._early = self._early, []
        for finding_type, detector in self._fuses.whole(self._detectors):
            with self._fuses.of(finding_type):
                crossed = self._state.crossed[finding_type]
                self._state.crossed[finding_type] = crossed.clear()
                sightings.extend(self._decide(detector, crossed))
        return sightings

    def crossing(self) -> list[Sighting]:
        """All that has crossed and is not decided."""
        sightings: list[Sighting] = []
        for finding_type, table in self._fuses.whole(self._state.windows):
            with self._fuses.of(finding_type):
                detector = self._detectors[finding_type]
                rows = table.crossed(partial(self._may_cross, detector, table))
                closed = self._state.crossed[finding_type]
                if len(rows) or closed.height:
                    sightings += self._decide(detector, pl.concat([closed, table.frame(rows)]))
        return sightings

    def evictable(self) -> Iterator[Evictable]:
        """What may go before its time: see `Shard.evict`."""
        for finding_type, table in self._state.windows.items():
            yield Evictable(table.nbytes, partial(self._close_half, finding_type, table))
        for finding_type, waiting in self._state.crossed.items():
            yield Evictable(int(waiting.estimated_size()), partial(self._decide_now, finding_type))

    def _close_half(self, finding_type: str, table: WindowTable) -> int:
        if not len(table):
            return 0
        before = len(table)
        self._close(finding_type, table, table.median_end())
        return before - len(table)

    def _decide_now(self, finding_type: str) -> int:
        waiting = self._state.crossed[finding_type]
        self._state.crossed[finding_type] = waiting.clear()
        self._early += self._decide(self._detectors[finding_type], waiting)
        return waiting.height

    def _close(self, finding_type: str, table: WindowTable, watermark: int) -> None:
        closed = table.close(watermark, partial(self._may_cross, self._detectors[finding_type], table))
        if closed.height:
            self._state.crossed[finding_type].vstack(closed, in_place=True)

    def _is_ripe(self, detector: WindowDetector, windows: pl.DataFrame, watermark: int) -> pl.Series:
        """Which windows can be decided: Boolean [n]."""
        end = pl.col("window_end").to_physical()
        is_known = pl.col("is_actor").is_not_null() | (end <= watermark - PATIENCE)
        if detector.hop is not None:
            length = detector.window // timedelta(microseconds=1)
            is_known = (is_known.all() & (end.max() <= watermark - length)).over("subject", *detector.key)
        return self._state.entities.attach(windows).select(is_known).to_series()

    def _may_cross(self, detector: WindowDetector, table: WindowTable, rows: np.ndarray) -> np.ndarray:
        """Which rows cross with one end of the connection as ours, or with the other: bool [n]."""
        windows = table.frame(rows, detector.crossed.meta.root_names())
        if windows.is_empty():
            return np.zeros(len(rows), dtype=bool)
        ours = self._crosses(detector, windows.with_columns(is_actor=pl.lit(True)))
        theirs = self._crosses(detector, windows.with_columns(is_actor=pl.lit(False)))
        return (ours | theirs).to_numpy()

    def _crosses(self, detector: WindowDetector, windows: pl.DataFrame) -> pl.Series:
        """Which windows cross: Boolean [n], without nulls.

        None do where the detector fails, which is reported.
        """
        try:
            return windows.select(detector.crossed.fill_null(False)).to_series()
        except pl.exceptions.PolarsError as error:
            self.failed[detector.finding_type] = DetectorError(detector.finding_type, str(error))
            return pl.repeat(False, windows.height, eager=True)

    def _decide(self, detector: WindowDetector, windows: pl.DataFrame) -> list[Sighting]:
        if windows.is_empty():
            return []
        attached = self._state.entities.attach(windows)
        crossed = attached.filter(self._crosses(detector, attached))
        if crossed.is_empty():
            return []
        if detector.hop is not None:
            crossed = _without_overlaps(crossed, ("subject", *detector.key))
        return sightings_of(detector, _occurrences(crossed, detector))


def _without_overlaps(crossed: pl.DataFrame, key: tuple[str, ...]) -> pl.DataFrame:
    """Of sliding windows that overlap one that is kept, none is kept: what they show is one occurrence.

    It lasts as long as the last of them says.
    """
    ordered = crossed.sort(*key, "window_start")
    kept: list[bool] = []
    ends: dict[tuple[Any, ...], datetime] = {}
    for window in ordered.select(*key, "window_start", "window_end").iter_rows():
        *identity, start, end = window
        fresh = start >= ends.get(tuple(identity), start)
        kept.append(fresh)
        if fresh:
            ends[tuple(identity)] = end
    occurrence = pl.Series(kept).cum_sum()
    return ordered.with_columns(pl.col("last_seen").max().over(occurrence)).filter(pl.Series(kept))


def _occurrences(crossed: pl.DataFrame, detector: WindowDetector) -> pl.DataFrame:
    """Adds what makes each window one occurrence: its time, a digest of its key, and the resource it is about."""
    key = [crossed[column].to_numpy() for column in detector.key]
    starts = crossed["window_start"].to_physical().to_numpy()
    return crossed.with_columns(
        pl.Series("digest", hash_combine(crossed["subject"].to_numpy(), *key, starts)),
        pl.coalesce("instance_uid", "interface_uid").alias("resource_uid"),
        time=pl.col("first_seen"),
    )
