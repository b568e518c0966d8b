"""Runs rules written in SQL over batches: all in one statement, and a broken or slow one without the others."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from threading import Timer
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from guardray.custom.sql import TABLE, arrow, connection, first_line
from guardray.detectors.declare import Query, QueryDetector
from guardray.errors import DetectorError

if TYPE_CHECKING:
    import duckdb

RULE = "rule"
"""The column of hits that names the condition."""

_OPERATION = "_operation"  # in lower case

Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Budget:
    """How long conditions may take.

    Attributes:
        per_row_s, per_batch_s: processor time that one condition may take of a batch of so many rows, forty times what
            the slowest of the public rules takes.
        strikes: batches in which it may be over that before its rule is disabled, since one batch may be an odd one.
        limit_s: after so long a statement is ended, whatever it is at.
    """

    per_row_s: float = 20e-6
    per_batch_s: float = 0.1
    strikes: int = 3
    limit_s: float = 10.0

    def allowed_s(self, rows: int) -> float:
        """Processor time for one condition."""
        return self.per_batch_s + self.per_row_s * rows


@dataclass(eq=False)
class _Condition:
    """One condition of one rule, and how it has behaved so far."""

    detector: QueryDetector
    query: Query
    strikes: int = 0
    is_tried: bool = False  # it has failed on some row, so that it is tried on each

    @property
    def name(self) -> str:
        return self.detector.finding_type

    @property
    def sql(self) -> str:
        """An expression that is never null."""
        condition = f"{'try' if self.is_tried else ''}(({self.query.condition}\n))"
        if self.query.operations:
            names = ", ".join("'{}'".format(name.replace("'", "''")) for name in sorted(self.query.operations))
            # Only CASE makes sure that the JSON of other calls is not parsed.
            condition = f"CASE WHEN {_OPERATION} IN ({names}) THEN {condition} END"
        return f"coalesce({condition}, false)"


class QueryRunner:
    """The rules in SQL over one schema. One that fails or takes too long is reported and left out from then on.

    Args:
        detectors: the rules.
        budget: how long they may take.
    """

    def __init__(self, detectors: Iterable[QueryDetector], budget: Budget | None = None) -> None:
        self._conditions = [_Condition(detector, query) for detector in detectors for query in detector.queries]
        self._budget = budget or Budget()
        self._patience = 1.0  # how many times one condition's allowance all may take before each is timed

    def hits(self, frame: pl.DataFrame) -> tuple[list[tuple[QueryDetector, pl.DataFrame]], list[DetectorError]]:
        """The rows that each rule fires for, with the name of its first true condition in the column `rule`.

        Args:
            frame: an enriched batch. Nothing is found on what is trusted.

        Returns:
            The rules that fire with their rows, and what failed.
        """
        true_rows: dict[_Condition, Rows] = {}
        problems: list[DetectorError] = []
        for rows, conditions in self._candidates(frame):
            if len(rows):
                masks = self._masks(_prepared(frame, rows), conditions, problems)
                true_rows.update({one: rows[mask] for one, mask in masks.items() if mask.any()})
        fired: dict[str, list[_Condition]] = {}
        for condition in self._conditions:
            if condition in true_rows:
                fired.setdefault(condition.name, []).append(condition)
        return [(group[0].detector, _named(frame, group, true_rows)) for group in fired.values()], problems

    def _candidates(self, frame: pl.DataFrame) -> Iterator[tuple[Rows, list[_Condition]]]:
        """The rows to ask about, and the conditions to ask: those of some operations are shown no others."""
        untrusted = ~frame["is_trusted"].to_numpy()
        narrow = [one for one in self._conditions if one.query.operations]
        if narrow:
            names = sorted({name for one in narrow for name in one.query.operations})
            called = frame["api_operation"].str.to_lowercase().is_in(names).fill_null(False).to_numpy()
            yield np.flatnonzero(called & untrusted), narrow
        if wide := [one for one in self._conditions if not one.query.operations]:
            yield np.flatnonzero(untrusted), wide

    def _masks(
        self, rows: pl.DataFrame, conditions: Sequence[_Condition], problems: list[DetectorError]
    ) -> dict[_Condition, Mask]:
        """For which rows each condition is true, without those of rules that are dropped."""
        import duckdb

        allowed_s = self._budget.allowed_s(rows.height)
        with self._shown(rows):
            try:
                masks, seconds = self._ask(conditions)
            except duckdb.Error:
                return self._asked_alone(conditions, allowed_s, problems)
            if seconds <= allowed_s * self._patience:
                return masks
            before = sum(one.strikes for one in conditions)
            masks = self._asked_alone(conditions, allowed_s, problems)
            if sum(one.strikes for one in conditions) == before:
                self._patience *= 2  # they are many, and none of them is slow
            return masks

    def _asked_alone(
        self, conditions: Sequence[_Condition], allowed_s: float, problems: list[DetectorError]
    ) -> dict[_Condition, Mask]:
        """The same one by one, to tell which of them fails or is slow."""
        masks: dict[_Condition, Mask] = {}
        for condition in conditions:
            if condition not in self._conditions:  # another condition of its rule was dropped
                continue
            mask, seconds = self._ask_alone(condition, problems)
            if mask is not None:
                masks[condition] = mask
            condition.strikes += seconds > allowed_s
            if mask is not None and condition.strikes >= self._budget.strikes:
                reason = (
                    f"disabled, since it took more than {self._budget.per_row_s * 1e6:g} µs a row"
                    f" in {condition.strikes} batches"
                )
                self._drop(condition, reason, problems)
        return masks

    def _ask_alone(self, condition: _Condition, problems: list[DetectorError]) -> tuple[Mask | None, float]:
        """The condition's mask, None if it was dropped, and the time that it took."""
        import duckdb

        try:
            masks, seconds = self._ask([condition])
        except duckdb.InterruptException:
            self._drop(condition, f"disabled, since it took more than {self._budget.limit_s:g} s for a batch", problems)
        except (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException) as error:
            if not condition.is_tried:
                # What one row holds must not keep the rule from seeing the others.
                condition.is_tried = True
                reason = f"it fails on some rows, and does not fire for them: {first_line(error)}"
                problems.append(DetectorError(condition.name, _of_rule(condition, reason)))
                return self._ask_alone(condition, problems)
            self._drop(condition, f"disabled, since it fails: {first_line(error)}", problems)
        except duckdb.Error as error:
            self._drop(condition, f"disabled, since it fails: {first_line(error)}", problems)
        else:
            return masks[condition], seconds
        return None, 0.0

    def _drop(self, condition: _Condition, reason: str, problems: list[DetectorError]) -> None:
        self._conditions = [one for one in self._conditions if one.name != condition.name]
        problems.append(DetectorError(condition.name, _of_rule(condition, reason)))

    def _ask(self, conditions: Sequence[_Condition]) -> tuple[dict[_Condition, Mask], float]:
        """Their masks over the rows that are shown, and the processor time."""
        columns = ", ".join(f"{one.sql} AS c{place}" for place, one in enumerate(conditions))
        timer = Timer(self._budget.limit_s, self._database.interrupt)
        timer.daemon = True
        timer.start()
        started = time.thread_time()
        try:
            answers = self._database.execute(f"SELECT {columns} FROM {TABLE}").fetchnumpy()
        finally:
            timer.cancel()
        masks = {one: np.asarray(answers[f"c{place}"], bool) for place, one in enumerate(conditions)}
        return masks, time.thread_time() - started

    @contextmanager
    def _shown(self, rows: pl.DataFrame) -> Iterator[None]:
        self._database.register(TABLE, arrow(rows))
        try:
            yield
        finally:
            self._database.unregister(TABLE)

    @cached_property
    def _database(self) -> duckdb.DuckDBPyConnection:
        return connection()


def _prepared(frame: pl.DataFrame, rows: Rows) -> pl.DataFrame:
    shown = frame if len(rows) == frame.height else frame[rows]
    if "api_operation" in shown.columns:
        return shown.with_columns(pl.col("api_operation").str.to_lowercase().alias(_OPERATION))
    return shown


def _named(frame: pl.DataFrame, conditions: Sequence[_Condition], true_rows: dict[_Condition, Rows]) -> pl.DataFrame:
    """The rows of any of a rule's conditions, with the name of the first that is true."""
    first = np.full(frame.height, -1, np.int32)
    for place in reversed(range(len(conditions))):
        first[true_rows[conditions[place]]] = place
    rows = np.flatnonzero(first >= 0)
    names = pl.Series(RULE, [one.query.name for one in conditions], pl.String)
    return frame[rows].with_columns(names.gather(first[rows]).alias(RULE))


def _of_rule(condition: _Condition, reason: str) -> str:
    return reason if len(condition.detector.queries) == 1 else f"{condition.query.name}: {reason}"
