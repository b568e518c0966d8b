"""What one batch of a schema is asked: the conditions of all its detectors, evaluated together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from guardray.custom.queries import QueryRunner
from guardray.dataflow.windowing import WindowCounter
from guardray.detectors.activity import Activity
from guardray.detectors.declare import (
    ActivityDetector,
    ChangeDetector,
    Detector,
    IndicatorDetector,
    QueryDetector,
    RuleDetector,
    WindowDetector,
)
from guardray.errors import DetectorError
from guardray.intel.store import has
from guardray.shards.windows import WindowTable

_UNTRUSTED = ~pl.col("is_trusted")


class Plan:
    """The detectors of one schema, by kind.

    Args:
        detectors: those of the schema.
        tables: the windows that rows are counted into, by finding type; None: windows of its own.
    """

    def __init__(self, detectors: Iterable[Detector], tables: Mapping[str, WindowTable] | None = None) -> None:
        self._tables = tables or {}
        self.rules: dict[str, RuleDetector] = {}
        self.indicators: dict[str, IndicatorDetector] = {}
        self.changes: dict[str, ChangeDetector] = {}
        self.windows: dict[str, WindowCounter] = {}
        self.activities: dict[str, Activity] = {}
        self._conditions: dict[str, pl.Expr] = {}
        queries = []
        for detector in detectors:
            if isinstance(detector, QueryDetector):
                queries.append(detector)
            else:
                self._add(detector)
        self.queries = QueryRunner(queries)

    def _add(self, detector: Detector) -> None:
        if isinstance(detector, ActivityDetector):
            self.activities[detector.activity.name] = detector.activity
            self._conditions[detector.activity.name] = _counted(detector.activity).alias(detector.activity.name)
            return
        name = detector.finding_type
        if isinstance(detector, IndicatorDetector):
            self.indicators[name] = detector
        elif isinstance(detector, RuleDetector):
            self.rules[name] = detector
        elif isinstance(detector, ChangeDetector):
            self.changes[name] = detector
        elif isinstance(detector, WindowDetector):
            self.windows[name] = WindowCounter(detector, self._tables.get(name))
        self._conditions[name] = condition(detector).fill_null(False).alias(name)

    def _drop(self, name: str) -> None:
        for part in (self.rules, self.indicators, self.changes, self.windows, self.activities, self._conditions):
            part.pop(name, None)

    def listed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows that any list names, mostly few: all that detectors of indicators need to look at."""
        columns = {_indicators(column) for detector in self.indicators.values() for column in detector.indicator}
        named = [pl.col(column) != 0 for column in sorted(columns)]
        return frame.filter(pl.any_horizontal(named)) if named else frame.clear()

    def masks(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, list[DetectorError]]:
        """Which rows each detector wants: a Boolean column each, without nulls, named by finding type or activity.

        A detector whose condition fails is dropped and reported, and the others go on. Those of indicators are left to
        `listed_masks`.
        """
        return self._evaluated(frame, [name for name in self._conditions if name not in self.indicators])

    def listed_masks(self, listed: pl.DataFrame) -> tuple[pl.DataFrame, list[DetectorError]]:
        """The same for detectors of indicators and the rows that `listed` gave."""
        return self._evaluated(listed, list(self.indicators))

    def _evaluated(self, frame: pl.DataFrame, names: list[str]) -> tuple[pl.DataFrame, list[DetectorError]]:
        try:
            # Lazily, since only then parts that detectors share are computed once: a third less work.
            return frame.lazy().select(self._conditions[name] for name in names).collect(), []
        except pl.exceptions.PolarsError:
            problems = [problem for name in names if (problem := self._problem(name, frame))]
            for problem in problems:
                self._drop(problem.finding_type)
            return frame.select(self._conditions[name] for name in names if name in self._conditions), problems

    def _problem(self, name: str, frame: pl.DataFrame) -> DetectorError | None:
        try:
            frame.select(self._conditions[name])
        except pl.exceptions.PolarsError as error:
            return DetectorError(name, str(error))
        return None


def condition(detector: Detector) -> pl.Expr:
    """The rows of an enriched batch that a detector wants to see.

    Nothing is found on what is trusted. Configurations are followed all the same, since later changes build on them.
    """
    if isinstance(detector, IndicatorDetector):
        listed = [has(_indicators(column), *detector.categories) for column in detector.indicator]
        return _UNTRUSTED & pl.any_horizontal(listed) & detector.where
    if isinstance(detector, WindowDetector):
        keyed = (pl.col(column).is_not_null() for column in detector.key)
        return pl.all_horizontal([_UNTRUSTED, detector.where, *keyed])
    if isinstance(detector, RuleDetector):
        return _UNTRUSTED & detector.where
    if isinstance(detector, ChangeDetector):
        return detector.where
    raise TypeError(f"{detector.finding_type} is of no kind that can be run: {type(detector).__name__}")


def _counted(activity: Activity) -> pl.Expr:
    return (_UNTRUSTED & ~pl.col("is_late") & activity.where).fill_null(False)


def _indicators(column: str) -> str:
    """`src_endpoint_ip_v4` to `src_endpoint_indicators`, `query_hostname` to `query_indicators`."""
    return f"{column.removesuffix('_v4').removesuffix('_ip').removesuffix('_hostname')}_indicators"
