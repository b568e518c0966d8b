"""The stateless half: batches in, sightings and partial aggregates out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import polars as pl

from guardray.context.enrich import enrich, enriched_columns
from guardray.context.intel import IndicatorStore, has
from guardray.dataflow.hits import sightings_of
from guardray.dataflow.partials import Partials
from guardray.detectors.declare import ChangeDetector, Detector, IndicatorDetector, RuleDetector, WindowDetector
from guardray.errors import DetectorError
from guardray.schema import EventSchema, api_activity, network_activity
from guardray.shards.directory import EntityDirectory
from guardray.shards.nulls import to_numpy
from guardray.shards.windows import WindowTable
from guardray.stats.hashing import hash_strings
from guardray.stats.measures import Count

IsNew = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Event hashes uint64 [n] and times int64 [n] in microseconds to bool [n]: true where an event is seen first."""


class Ingest:
    """Enriches batches, evaluates what needs no state, and aggregates the rest for the shards.

    Args:
        detectors: all that are switched on.
        indicators: threat lists.
        is_new: tells events that were delivered before; it is asked once a batch.
    """

    def __init__(self, detectors: Sequence[Detector], indicators: IndicatorStore, is_new: IsNew) -> None:
        self._indicators = indicators
        self._is_new = is_new
        self._plans = {d.schema.name: _Plan([e for e in detectors if e.schema is d.schema]) for d in detectors}
        self._entities = EntityDirectory()
        self._partials = Partials()
        self.duplicates = 0
        self.problems: list[DetectorError] = []

    def on_batch(self, schema: EventSchema, frame: pl.DataFrame) -> None:
        """Takes in one batch of `schema`."""
        plan = self._plans.get(schema.name)
        if schema is api_activity.SCHEMA:
            frame = self._without_duplicates(frame)
        if plan is None or frame.is_empty():
            return
        frame = enrich(frame, schema, self._indicators)
        masks = self._evaluate(plan, frame)
        for detector in plan.rules:
            self._on_hits(detector, frame, masks)
        for change in plan.changes:
            self._on_changes(change, frame, masks)
        if plan.windows:
            self._on_windows(plan, frame, masks)

    def drain(self) -> Partials:
        """What was learned since the last call."""
        done, self._partials = self._partials, Partials()
        for plan in self._plans.values():
            for finding_type, table in plan.tables.items():
                if len(table):
                    done.windows[finding_type] = table.export(clear=True)
        if len(self._entities):
            done.entities = self._entities.export()
            self._entities = EntityDirectory()
        return done

    @property
    def pending_keys(self) -> int:
        """Keys that wait for `drain`."""
        return sum(len(table) for plan in self._plans.values() for table in plan.tables.values())

    def _without_duplicates(self, frame: pl.DataFrame) -> pl.DataFrame:
        new = self._is_new(frame["event_hash"].to_numpy(), _microseconds(frame["time"]))
        if new.all():
            return frame
        self.duplicates += int(len(new) - new.sum())
        return frame.filter(pl.Series(new))

    def _evaluate(self, plan: _Plan, frame: pl.DataFrame) -> pl.DataFrame:
        """One boolean column a detector, named by finding type. A detector that fails is reported and left out."""
        try:
            # Lazily, since only then parts that detectors share are computed once: a third less work.
            return frame.lazy().select(plan.conditions.values()).collect()
        except pl.exceptions.PolarsError:
            masks = frame.select(pl.lit(False).alias("_")).drop("_")
            for finding_type, condition in list(plan.conditions.items()):
                try:
                    masks = masks.with_columns(frame.select(condition).to_series())
                except pl.exceptions.PolarsError as error:
                    self.problems.append(DetectorError(finding_type, str(error)))
                    plan.remove(finding_type)
            return masks

    def _on_hits(self, detector: RuleDetector, frame: pl.DataFrame, masks: pl.DataFrame) -> None:
        mask = masks[detector.finding_type]
        if not mask.any():
            return
        hits = _with_digest(frame.filter(mask), detector.schema)
        if isinstance(detector, IndicatorDetector):
            hits = hits.with_columns(self._matched(detector, hits))
        self._partials.sightings.extend(sightings_of(detector, hits))

    def _matched(self, detector: IndicatorDetector, hits: pl.DataFrame) -> pl.Series:
        rows = hits.select(detector.indicator).rows()
        found = [self._indicators.matches(row, detector.category) for row in rows]
        return pl.Series("indicators", found, dtype=pl.Object)

    def _on_changes(self, detector: ChangeDetector, frame: pl.DataFrame, masks: pl.DataFrame) -> None:
        rows = frame.filter(masks[detector.finding_type])
        if rows.height:
            known = self._partials.changes.get(detector.finding_type)
            self._partials.changes[detector.finding_type] = rows if known is None else pl.concat([known, rows])

    def _on_windows(self, plan: _Plan, frame: pl.DataFrame, masks: pl.DataFrame) -> None:
        subjects = subject_hashes(frame["interface_uid"])
        self._entities.update(frame, subjects)
        on_time = ~frame["is_late"]
        for detector in plan.windows:
            mask = masks[detector.finding_type] & on_time
            if mask.any():
                rows = frame.select(plan.columns[detector.finding_type]).filter(mask)
                update_windows(plan.tables[detector.finding_type], detector, rows, subjects[mask.to_numpy()])


class _Plan:
    """The detectors of one schema, sorted by kind, with their conditions as named expressions."""

    def __init__(self, detectors: Iterable[Detector]) -> None:
        detectors = list(detectors)
        self.rules = [d for d in detectors if isinstance(d, RuleDetector)]
        self.changes = [d for d in detectors if isinstance(d, ChangeDetector)]
        self.windows = [d for d in detectors if isinstance(d, WindowDetector)]
        self.tables = {d.finding_type: window_table(d) for d in self.windows}
        self.columns = {d.finding_type: _window_columns(d) for d in self.windows}
        self.conditions = {
            d.finding_type: condition(d).fill_null(False).alias(d.finding_type)
            for kind in (self.rules, self.changes, self.windows)
            for d in kind
        }

    def remove(self, finding_type: str) -> None:
        self.rules = [d for d in self.rules if d.finding_type != finding_type]
        self.changes = [d for d in self.changes if d.finding_type != finding_type]
        self.windows = [d for d in self.windows if d.finding_type != finding_type]
        self.conditions.pop(finding_type)


def condition(detector: RuleDetector | ChangeDetector | WindowDetector) -> pl.Expr:
    """The rows of an enriched batch that a detector wants to see."""
    if isinstance(detector, IndicatorDetector):
        listed = [has(f"{_endpoint(column)}_indicators", detector.category) for column in detector.indicator]
        return pl.any_horizontal(listed) & detector.where
    if isinstance(detector, WindowDetector):
        return pl.all_horizontal([detector.where, *(pl.col(column).is_not_null() for column in detector.key)])
    return detector.where


def _endpoint(column: str) -> str:
    """`src_endpoint_ip_v4` to `src_endpoint`, `query_hostname` to `query`: the prefix of its indicators' column."""
    return column.removesuffix("_v4").removesuffix("_ip").removesuffix("_hostname")


def window_table(detector: WindowDetector) -> WindowTable:
    """The state that a window detector needs, empty."""
    dtypes = enriched_columns(detector.schema)
    key = {column: np.dtype(str(dtypes[column]).lower()) for column in detector.key}
    return WindowTable(key, detector.measures, detector.window, detector.hop)


def _value_columns(detector: WindowDetector) -> list[str]:
    return sorted({m.column for m in detector.measures.values() if not isinstance(m, Count)})


def _window_columns(detector: WindowDetector) -> list[str]:
    return list(dict.fromkeys(("time", "end_time", *detector.key, *_value_columns(detector))))


def update_windows(table: WindowTable, detector: WindowDetector, rows: pl.DataFrame, subjects: np.ndarray) -> None:
    """Counts rows that the detector wants into its windows."""
    table.update(
        subjects,
        {column: rows[column].to_numpy() for column in detector.key},
        _microseconds(rows["time"]),
        _microseconds(rows["end_time"]),
        {column: to_numpy(rows[column]) for column in _value_columns(detector)},
    )


def subject_hashes(uids: pl.Series) -> np.ndarray:
    """Stable hash of each interface's id: uint64 [n]. Hashed once per distinct id where the column is categorical."""
    if uids.dtype != pl.Categorical:
        return hash_strings(uids)
    distinct = uids.unique()
    hashes = pl.DataFrame({"uid": distinct, "hash": hash_strings(distinct.cast(pl.String))})
    return (
        uids.to_frame("uid")
        .join(hashes, on="uid", how="left", nulls_equal=True, maintain_order="left")["hash"]
        .to_numpy()
    )


def _microseconds(times: pl.Series) -> np.ndarray:
    return times.to_physical().to_numpy()


def _with_digest(hits: pl.DataFrame, schema: EventSchema) -> pl.DataFrame:
    """Adds `digest`, a stable hash that orders rows of one instant, and `last_seen`."""
    if schema is api_activity.SCHEMA:
        return hits.with_columns(digest=pl.col("event_hash"), last_seen=pl.col("time"))
    texts = hits.select(pl.struct(schema.polars.names()).struct.json_encode()).to_series()
    last = "end_time" if schema is network_activity.SCHEMA else "time"
    return hits.with_columns(pl.Series("digest", hash_strings(texts)), last_seen=pl.col(last))
