"""The stateful half: merges partial aggregates, judges changes in time order, closes windows at the watermark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from guardray.dataflow.baseline import Baseline
from guardray.dataflow.behaviour import Behaviour
from guardray.dataflow.event_time import END_OF_TIME
from guardray.dataflow.eviction import Evictable, evict
from guardray.dataflow.hits import sightings_of
from guardray.dataflow.partials import Partials
from guardray.dataflow.scoring import FeatureRows
from guardray.dataflow.shard_state import ShardState
from guardray.dataflow.switching_off import Fuses
from guardray.dataflow.windowing import Tables
from guardray.detectors.declare import ActivityDetector, ChangeDetector, Detector, WindowDetector, activities_of
from guardray.errors import DetectorError
from guardray.findings.sighting import Sighting
from guardray.inventory import own_addresses
from guardray.models.scorer import Scorer
from guardray.shards.windows import WindowTable
from guardray.stats.hashing import hash_combine

PATIENCE = 86_400_000_000
"""How long a closed window waits for a row that tells which end of its connection is ours, in microseconds. The next
row with another remote address does; an interface that has none in a day will have none soon."""

REDELIVERY_SLACK = 86_400_000_000
"""Events are remembered for a day (in microseconds) past the watermark, for copies that come later than the bound."""


class Shard:
    """State of the keys that one shard owns. The same events give the same sightings, however they were cut.

    Args:
        detectors: all that are switched on.
        assets: facts of the inventory that are known beforehand.
        baseline: what is learned beforehand of the keys that this shard owns.
        scorer: models of what is usual; None: rules decide alone.
        archives: whether it keeps what models are to learn from, for `drain_features`.
    """

    def __init__(
        self,
        detectors: Sequence[Detector],
        assets: pl.DataFrame | None = None,
        baseline: Baseline | None = None,
        scorer: Scorer | None = None,
        *,
        archives: bool = False,
    ) -> None:
        self._changes = {d.finding_type: d for d in detectors if isinstance(d, ChangeDetector)}
        self._windows = {d.finding_type: d for d in detectors if isinstance(d, WindowDetector)}
        self._state = ShardState(self._windows, self._changes, activities_of(detectors))
        self._fuses = Fuses(self._state.begin_anew)
        behaviours = (d for d in detectors if isinstance(d, ActivityDetector))
        self._features = FeatureRows()
        archive = self._features if archives else None
        self._behaviour = Behaviour(behaviours, self._state.activities, self._fuses, scorer, archive)
        self._failed: dict[str, DetectorError] = {}
        self._anew: list[DetectorError] = []
        self._early: list[Sighting] = []
        """What was decided and judged before its time, to make room."""
        if assets is not None:
            self._state.entities.learn_own(own_addresses(assets))
        if baseline is not None:
            self._state.know(baseline.tables)

    @classmethod
    def restore(
        cls,
        detectors: Sequence[Detector],
        tables: Mapping[str, pa.Table],
        scorer: Scorer | None = None,
        *,
        archives: bool = False,
    ) -> Shard:
        """A shard that goes on where the one that gave these tables was.

        A detector that the snapshot does not know starts empty, and the state of one that is no longer here is dropped.
        One whose state is of other columns, measures or windows than it keeps starts empty too, and `problems` says so.

        Raises:
            SnapshotError: a table that is no detector's own is missing, or not what this program keeps.
        """
        shard = cls(detectors, scorer=scorer, archives=archives)
        shard._anew = shard._state.restore(tables)
        return shard

    def snapshot(self) -> Mapping[str, pa.Table]:
        """All state as named tables, for `guardray.shards.snapshot.write_snapshot`. Later events do not change them.

        What an ingest worker has not drained is not in it, nor are sightings already given, nor `problems`, nor what
        `drain_features` would give.
        """
        return self._state.export()

    @property
    def tables(self) -> Tables:
        """The tables that an ingest worker in the same process may count into."""
        return Tables(self._state.windows, self._state.entities)

    def learned(self) -> Baseline:
        """What detectors have learned of the keys that this shard owns."""
        return Baseline(self._state.learned())

    def drain_features(self) -> Mapping[str, pl.DataFrame]:
        """What models are to learn from the days that closed since the last call. See `FeatureRows.drain`."""
        return self._features.drain()

    @property
    def problems(self) -> list[DetectorError]:
        """What a detector's threshold failed on, once a detector, and changes that its judge failed on.

        Also who had to begin anew, and who is switched off.
        """
        of_judges = (problem for known in self._state.configurations.values() for problem in known.problems)
        of_detectors = (*self._failed.values(), *self._fuses.blown.values(), *self._behaviour.problems)
        return [*self._anew, *of_detectors, *of_judges]

    def first_seen(self, hashes: np.ndarray, times: np.ndarray) -> np.ndarray:
        """True where an event's hash is new. See `Deduplicator.first_seen`."""
        return self._state.seen.first_seen(hashes, times)

    def first_object(self, digest: int, at: int = END_OF_TIME) -> bool:
        """True where an object of this content was not read before, as far as that was not forgotten.

        Args:
            at: when it is read, in microseconds since 1970, for `forget_objects`.
        """
        return self._state.objects.first_seen(digest, at)

    def forget_objects(self, before: int) -> None:
        """Objects that were read before this time (microseconds) count as new, should they come again."""
        self._state.objects.forget(before)

    def objects(self) -> frozenset[int]:
        """Content digests of all objects that are known."""
        return self._state.objects.digests()

    def merge(self, partials: Partials) -> None:
        """Takes in partial aggregates of an ingest worker."""
        for finding_type, table in self._fuses.whole(partials.windows):
            with self._fuses.of(finding_type):
                self._state.windows[finding_type].merge(table)
        for finding_type, rows in self._fuses.whole(partials.changes):
            with self._fuses.of(finding_type):
                self._state.buffers[finding_type].add(rows)
        for name, tables in self._fuses.whole(partials.activities):
            with self._fuses.of(name):
                for table in tables:
                    self._state.activities[name].add(table)
        if partials.entities is not None:
            self._state.entities.merge(partials.entities)

    def advance(self, watermark: int) -> list[Sighting]:
        """Judges and closes all that lies before the watermark (microseconds), since no earlier row will come.

        Windows that crossed wait for `decide` or `finish`: which end of a connection is ours may be learned from later
        rows.
        """
        for finding_type, table in self._fuses.whole(self._state.windows):
            with self._fuses.of(finding_type):
                self._close(finding_type, table, watermark)
        self._state.seen.forget(watermark - REDELIVERY_SLACK)
        judged: list[Sighting] = []
        for finding_type, detector in self._fuses.whole(self._changes):
            with self._fuses.of(finding_type):
                judged += self._judge(finding_type, detector, watermark)
        return judged + self._behaviour.close(watermark)

    def decide(self, watermark: int) -> list[Sighting]:
        """Decides the windows that crossed and closed, as far as it is known which end of their connection is ours.

        For those that do not wait for `finish`, since their input has no end. Windows that may overlap one which is
        still open wait for it. Where the end stays unknown, they are decided after `PATIENCE` as `finish` would.

        Args:
            watermark: as for `advance`, which was called with it.
        """
        sightings, self._early = self._early, []
        for finding_type, detector in self._fuses.whole(self._windows):
            with self._fuses.of(finding_type):
                waiting = self._state.crossed[finding_type]
                if waiting.height:
                    is_ripe = self._is_ripe(detector, waiting, watermark)
                    self._state.crossed[finding_type] = waiting.filter(~is_ripe)
                    sightings.extend(self._decide(detector, waiting.filter(is_ripe)))
        return sightings

    def finish(self) -> list[Sighting]:
        """Closes everything, and decides the windows that crossed with all that is now known of the interfaces."""
        sightings, self._early = [*self._early, *self.advance(END_OF_TIME)], []
        for finding_type, detector in self._fuses.whole(self._windows):
            with self._fuses.of(finding_type):
                crossed = self._state.crossed[finding_type]
                self._state.crossed[finding_type] = crossed.clear()
                sightings.extend(self._decide(detector, crossed))
        return sightings

    def crossing(self) -> list[Sighting]:
        """All that has crossed and is not decided: an early, incomplete account."""
        return self._crossing_windows() + self._behaviour.open()

    def _crossing_windows(self) -> list[Sighting]:
        sightings: list[Sighting] = []
        for finding_type, table in self._fuses.whole(self._state.windows):
            with self._fuses.of(finding_type):
                detector = self._windows[finding_type]
                rows = table.crossed(partial(self._may_cross, detector, table))
                closed = self._state.crossed[finding_type]
                if len(rows) or closed.height:
                    sightings += self._decide(detector, pl.concat([closed, table.frame(rows)]))
        return sightings

    def _is_ripe(self, detector: WindowDetector, windows: pl.DataFrame, watermark: int) -> pl.Series:
        """Which windows can be decided: Boolean [n]."""
        end = pl.col("window_end").to_physical()
        is_known = pl.col("is_actor").is_not_null() | (end <= watermark - PATIENCE)
        if detector.hop is not None:
            length = detector.window // timedelta(microseconds=1)
            is_known = (is_known.all() & (end.max() <= watermark - length)).over("subject", *detector.key)
        return self._state.entities.attach(windows).select(is_known).to_series()

    def state_rows(self) -> int:
        """Keys in the tables of windows and activities."""
        windows = sum(len(table) for table in self._state.windows.values())
        return windows + sum(len(table) for table in self._state.activities.values())

    def state_bytes(self) -> int:
        """About how many bytes all state takes."""
        activities = sum(table.nbytes for table in self._state.activities.values())
        return activities + sum(part.nbytes for part in self._evictable())

    def evict(self, budget: int) -> int:
        """Drops the oldest state until all of it takes no more than this many bytes, or nothing can be dropped.

        Windows are closed before their time: those that have crossed are decided as they are, and what still comes of
        the others is counted in windows anew. Changes are judged before their time, as if no earlier one could come.
        Of events the oldest days are forgotten, so that copies of them count as new, and objects likewise; of
        configurations and interfaces those that nothing was heard of for the longest. What is learned of habits stays:
        it is bounded by itself. `decide` gives what was decided and judged.

        Returns:
            How many windows, changes, events, objects, configurations and interfaces went.
        """
        return evict(self._evictable, self.state_bytes, budget)

    def _evictable(self) -> Iterator[Evictable]:
        state = self._state
        yield Evictable(state.seen.nbytes, state.seen.forget_oldest)
        yield Evictable(state.objects.nbytes, state.objects.forget_oldest)
        yield Evictable(state.entities.nbytes, state.entities.forget_oldest, is_needed=True)
        for known in state.configurations.values():
            yield Evictable(known.nbytes, known.forget_oldest, is_needed=True)
        for finding_type, table in state.windows.items():
            yield Evictable(table.nbytes, partial(self._close_half, finding_type, table))
        for finding_type, waiting in state.crossed.items():
            yield Evictable(int(waiting.estimated_size()), partial(self._decide_now, finding_type))
        for finding_type, buffer in state.buffers.items():
            yield Evictable(buffer.nbytes, partial(self._judge_half, finding_type))

    def _close_half(self, finding_type: str, table: WindowTable) -> int:
        if not len(table):
            return 0
        before = len(table)
        self._close(finding_type, table, table.median_end())
        return before - len(table)

    def _decide_now(self, finding_type: str) -> int:
        waiting = self._state.crossed[finding_type]
        self._state.crossed[finding_type] = waiting.clear()
        self._early += self._decide(self._windows[finding_type], waiting)
        return waiting.height

    def _judge_half(self, finding_type: str) -> int:
        buffer = self._state.buffers[finding_type]
        before = len(buffer)
        if before:
            self._early += self._judge(finding_type, self._changes[finding_type], buffer.median_time() + 1)
        return before - len(buffer)

    def _close(self, finding_type: str, table: WindowTable, watermark: int) -> None:
        closed = table.close(watermark, partial(self._may_cross, self._windows[finding_type], table))
        if closed.height:
            self._state.crossed[finding_type].vstack(closed, in_place=True)

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
            self._failed[detector.finding_type] = DetectorError(detector.finding_type, str(error))
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

    def _judge(self, finding_type: str, detector: ChangeDetector, watermark: int) -> list[Sighting]:
        rows = self._state.buffers[finding_type].release(watermark)
        if rows.is_empty():
            return []
        judged = self._state.configurations[finding_type].judge_all(detector, rows)
        fired = [
            (dict(row), dict(judgement.facts)) for row, judgement in judged if judgement.fires and not row["is_trusted"]
        ]
        return _change_sightings(detector, rows.schema, fired)


def _change_sightings(
    detector: ChangeDetector, schema: pl.Schema, fired: Sequence[tuple[dict[str, Any], dict[str, Any]]]
) -> list[Sighting]:
    if not fired:
        return []
    hits = pl.DataFrame([row for row, _ in fired], schema=schema, orient="row").with_columns(
        pl.Series("facts", [facts for _, facts in fired], dtype=pl.Object),
        digest=pl.col("event_hash"),
        last_seen=pl.col("time"),
    )
    return sightings_of(detector, hits)


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
