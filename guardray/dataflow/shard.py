"""The stateful half: merges partial aggregates, judges changes in time order, closes windows at the watermark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl
import pyarrow as pa

from guardray.dataflow.baseline import Baseline
from guardray.dataflow.behaviour import Behaviour
from guardray.dataflow.deciding import Windows
from guardray.dataflow.event_time import END_OF_TIME
from guardray.dataflow.eviction import Evictable, evict
from guardray.dataflow.judging import Changes
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
        changes = {d.finding_type: d for d in detectors if isinstance(d, ChangeDetector)}
        windows = {d.finding_type: d for d in detectors if isinstance(d, WindowDetector)}
        self._state = ShardState(windows, changes, activities_of(detectors))
        self._fuses = Fuses(self._state.begin_anew)
        self._windows = Windows(windows, self._state, self._fuses)
        self._changes = Changes(changes, self._state, self._fuses)
        behaviours = (d for d in detectors if isinstance(d, ActivityDetector))
        self._features = FeatureRows()
        archive = self._features if archives else None
        self._behaviour = Behaviour(behaviours, self._state.activities, self._fuses, scorer, archive)
        self._anew: list[DetectorError] = []
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
        of_detectors = (*self._windows.failed.values(), *self._fuses.blown.values(), *self._behaviour.problems)
        return [*self._anew, *of_detectors, *self._changes.problems]

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
        self._windows.close(watermark)
        self._state.seen.forget(watermark - REDELIVERY_SLACK)
        return self._changes.judge(watermark) + self._behaviour.close(watermark)

    def decide(self, watermark: int) -> list[Sighting]:
        """Decides the windows that crossed and closed, as far as it is known which end of their connection is ours.

        For those that do not wait for `finish`, since their input has no end. Windows that may overlap one which is
        still open wait for it. Where the end stays unknown, they are decided after a day as `finish` would.

        Args:
            watermark: as for `advance`, which was called with it.
        """
        return [*self._changes.take_early(), *self._windows.decide(watermark)]

    def finish(self) -> list[Sighting]:
        """Closes everything, and decides the windows that crossed with all that is now known of the interfaces."""
        return [*self._changes.take_early(), *self.advance(END_OF_TIME), *self._windows.finish()]

    def crossing(self) -> list[Sighting]:
        """All that has crossed and is not decided: an early, incomplete account."""
        return self._windows.crossing() + self._behaviour.open()

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
        yield from self._changes.evictable()
        yield from self._windows.evictable()
