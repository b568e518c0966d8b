"""What one batch of a schema is asked: the conditions of all its detectors, evaluated together."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from guardray.dataflow.windowing import WindowCounter
from guardray.detectors.declare import ChangeDetector, Detector, IndicatorDetector, RuleDetector, WindowDetector
from guardray.errors import DetectorError
from guardray.intel.store import has

_UNTRUSTED = ~pl.col("is_trusted")


class Plan:
    """The detectors of one schema, by kind."""

    def __init__(self, detectors: Iterable[Detector]) -> None:
        self.rules: dict[str, RuleDetector] = {}
        self.changes: dict[str, ChangeDetector] = {}
        self.windows: dict[str, WindowCounter] = {}
        self._conditions: dict[str, pl.Expr] = {}
        for detector in detectors:
            self._add(detector)

    def _add(self, detector: Detector) -> None:
        name = detector.finding_type
        if isinstance(detector, RuleDetector):
            self.rules[name] = detector
        elif isinstance(detector, ChangeDetector):
            self.changes[name] = detector
        elif isinstance(detector, WindowDetector):
            self.windows[name] = WindowCounter(detector)
        self._conditions[name] = condition(detector).fill_null(False).alias(name)

    def _drop(self, name: str) -> None:
        for part in (self.rules, self.changes, self.windows, self._conditions):
            part.pop(name, None)

    def masks(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, list[DetectorError]]:
        """Which rows each detector wants: a Boolean column each, named by finding type, without nulls.

        A detector whose condition fails is dropped and reported, and the others go on.
        """
        try:
            # Lazily, since only then parts that detectors share are computed once: a third less work.
            return frame.lazy().select(self._conditions.values()).collect(), []
        except pl.exceptions.PolarsError:
            problems = [problem for name in list(self._conditions) if (problem := self._problem(name, frame))]
            for problem in problems:
                self._drop(problem.finding_type)
            return frame.select(self._conditions.values()), problems

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
        listed = [has(f"{_endpoint(column)}_indicators", *detector.categories) for column in detector.indicator]
        return _UNTRUSTED & pl.any_horizontal(listed) & detector.where
    if isinstance(detector, WindowDetector):
        keyed = (pl.col(column).is_not_null() for column in detector.key)
        return pl.all_horizontal([_UNTRUSTED, detector.where, *keyed])
    if isinstance(detector, RuleDetector):
        return _UNTRUSTED & detector.where
    if isinstance(detector, ChangeDetector):
        return detector.where
    raise TypeError(f"{detector.finding_type} is of no kind that can be run: {type(detector).__name__}")


def _endpoint(column: str) -> str:
    """`src_endpoint_ip_v4` to `src_endpoint`, `query_hostname` to `query`: the prefix of its indicators' column."""
    return column.removesuffix("_v4").removesuffix("_ip").removesuffix("_hostname")
