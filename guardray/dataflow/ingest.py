"""The stateless half: batches in, sightings and partial aggregates out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from guardray.context.enrich import Surroundings, enrich
from guardray.dataflow.event_time import microseconds_of
from guardray.dataflow.held_activity import HeldActivity
from guardray.dataflow.held_hits import HeldHits
from guardray.dataflow.partials import Partials
from guardray.dataflow.plan import Plan
from guardray.dataflow.switching_off import Fuses
from guardray.dataflow.windowing import Tables, subject_hashes
from guardray.detectors.declare import Detector
from guardray.errors import DetectorError
from guardray.intel.store import IndicatorStore
from guardray.inventory import facts_of, own_addresses
from guardray.schema import EventSchema, api_activity
from guardray.shards.directory import EntityDirectory

IsNew = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Event hashes uint64 [n] and times int64 [n] in microseconds to bool [n]: true where an event is seen first."""


ROWS_BETWEEN_DRAINS = 1_000_000
"""Merging costs per distinct key, so it is put off while rows still collapse; a million rows bound the memory."""


class Ingest:
    """Enriches batches, evaluates what needs no state, and aggregates the rest for the shards.

    Args:
        detectors: all that are switched on.
        surroundings: what batches are enriched with. Lists that change meanwhile hold from the next batch on.
        is_new: tells events that were delivered before; it is asked once a batch.
        tables: those of the shard, where it is the only one and in the same process: what is counted straight into them
            need not be merged. None: tables of its own, which `drain` gives away.
    """

    def __init__(
        self, detectors: Sequence[Detector], surroundings: Surroundings, is_new: IsNew, tables: Tables | None = None
    ) -> None:
        self._surroundings = surroundings
        self._is_new = is_new
        windows = None if tables is None else tables.windows
        names = {detector.schema.name for detector in detectors}
        self._plans = {name: Plan((d for d in detectors if d.schema.name == name), windows) for name in names}
        self._tables = tables
        self._entities = EntityDirectory() if tables is None else tables.entities
        self._activities: dict[str, HeldActivity] = {}
        self._partials = Partials()
        self._fuses = Fuses(lambda name: None)  # what it has counted is not given away any more
        self._hits = HeldHits(self._fuses)
        self.duplicates = 0
        self.problems: list[DetectorError] = []

    def on_batch(self, schema: EventSchema, frame: pl.DataFrame) -> None:
        """Takes in one batch of `schema`."""
        plan = self._plans.get(schema.name)
        if schema == api_activity.SCHEMA:
            frame = self._without_duplicates(frame)
            self._on_assets(frame)
        if plan is None or frame.is_empty():
            return
        indicators = self._surroundings.indicators.current()
        self.on_enriched(schema, enrich(frame, schema, indicators, self._surroundings.geography), indicators)

    def on_enriched(self, schema: EventSchema, frame: pl.DataFrame, indicators: IndicatorStore) -> None:
        """Takes in one batch of `schema` that is enriched already, with the lists that it was enriched with."""
        plan = self._plans[schema.name]
        masks, problems = plan.masks(frame)
        self.problems.extend(problems)
        for name, rule in self._fuses.whole(plan.rules):
            with self._fuses.of(name):
                if masks[name].any():
                    self._hits.add(rule, frame.filter(masks[name]), indicators)
        self._on_queries(plan, frame, indicators)
        self._on_listed(plan, frame, indicators)
        for name in plan.changes:
            if masks[name].any():
                self._on_changes(name, frame.filter(masks[name]))
        for name, activity in self._fuses.whole(plan.activities):
            with self._fuses.of(name):
                if masks[name].any():
                    self._activities.setdefault(name, HeldActivity(activity)).add(frame.filter(masks[name]))
        if plan.windows:
            self._on_windows(plan, frame, masks)

    def drain(self) -> Partials:
        """What was learned since the last call."""
        done, self._partials = self._partials, Partials()
        done.sightings = self._hits.take()
        for name, held in self._fuses.whole(self._activities):
            with self._fuses.of(name):
                done.activities[name] = held.take()
        self.problems.extend(problem for held in self._activities.values() for problem in held.problems())
        self.problems.extend(problem for problem in self._fuses.blown.values() if problem not in self.problems)
        if self._tables is None:
            self._give_tables(done)
        return done

    def _give_tables(self, done: Partials) -> None:
        for plan in self._plans.values():
            for name, counter in self._fuses.whole(plan.windows):
                if len(counter.table):
                    done.windows[name] = counter.table.export(clear=True)
        if len(self._entities):
            done.entities = self._entities.export()
            self._entities = EntityDirectory()

    def _without_duplicates(self, frame: pl.DataFrame) -> pl.DataFrame:
        new = self._is_new(frame["event_hash"].to_numpy(), microseconds_of(frame["time"]))
        if new.all():
            return frame
        self.duplicates += int(len(new) - new.sum())
        return frame.filter(pl.Series(new))

    def _on_assets(self, frame: pl.DataFrame) -> None:
        """Learns what the trail says of the inventory.

        Not from late events, since what came before them may have been settled already, which is chance.
        """
        assets = facts_of(frame.filter(~frame["is_late"]) if frame["is_late"].any() else frame)
        if assets.height:
            self._partials.assets.append(assets)
            self._entities.learn_own(own_addresses(assets))

    def _on_listed(self, plan: Plan, frame: pl.DataFrame, indicators: IndicatorStore) -> None:
        """What detectors of indicators find, among the few rows that lists name."""
        listed = plan.listed(frame)
        if listed.is_empty():
            return
        masks, problems = plan.listed_masks(listed)
        self.problems.extend(problems)
        for name, detector in self._fuses.whole(plan.indicators):
            if masks[name].any():
                self._hits.add(detector, listed.filter(masks[name]), indicators)

    def _on_queries(self, plan: Plan, frame: pl.DataFrame, indicators: IndicatorStore) -> None:
        """What rules in SQL find."""
        found, problems = plan.queries.hits(frame)
        self.problems.extend(problems)
        for detector, hits in found:
            self._hits.add(detector, hits, indicators)

    def _on_changes(self, name: str, rows: pl.DataFrame) -> None:
        known = self._partials.changes.get(name)
        self._partials.changes[name] = rows if known is None else pl.concat([known, rows])

    def _on_windows(self, plan: Plan, frame: pl.DataFrame, masks: pl.DataFrame) -> None:
        subjects = subject_hashes(frame)
        self._entities.update(frame, subjects)
        on_time = ~frame["is_late"]
        for name, counter in self._fuses.whole(plan.windows):
            with self._fuses.of(name):
                mask = masks[name] & on_time
                if mask.any():
                    counter.count(frame, mask, subjects)
