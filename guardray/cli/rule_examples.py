"""Examples of rules, run: each passes, or there is a reason why it does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from guardray.context.enrich import enrich
from guardray.custom.queries import QueryRunner
from guardray.detectors.declare import Detector, Example, QueryDetector
from guardray.intel.store import IndicatorStore
from guardray.testing import check_example, frame_of
from guardray.types import Row

_EXAMPLE = "_example"


@dataclass(frozen=True)
class Outcome:
    """What came of an example. `failure` is null where it passed."""

    example: Example
    failure: str | None = None


def outcomes(detector: Detector) -> list[Outcome]:
    """What comes of each example of a detector, whatever the detector does."""
    if isinstance(detector, QueryDetector):
        return list(_outcomes_of_queries(detector))
    return [_outcome(detector, example) for example in detector.examples]


def _outcome(detector: Detector, example: Example) -> Outcome:
    try:
        check_example(detector, example)
    except AssertionError as error:
        return Outcome(example, str(error).partition(f"{example.name!r}: ")[2])
    except Exception as error:  # the detector is somebody's own, and may fail in any way
        return Outcome(example, f"{type(error).__name__}: {error}")
    return Outcome(example)


def _outcomes_of_queries(detector: QueryDetector) -> Iterator[Outcome]:
    """All examples in one batch, since what a rule in SQL says of a row depends on no other."""
    if not detector.examples:
        return
    rows = [(index, row) for index, example in enumerate(detector.examples) for row in example.rows]
    try:
        frame = frame_of(detector.schema, [row for _, row in rows])
    except (KeyError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
        yield from (Outcome(example, f"its rows are wrong: {error}") for example in detector.examples)
        return
    batch = enrich(frame, detector.schema, IndicatorStore()).with_columns(pl.Series(_EXAMPLE, [i for i, _ in rows]))
    found, problems = QueryRunner([detector]).hits(batch)
    hits: dict[int, list[Row]] = {}
    for _, of_rule in found:
        for row in of_rule.iter_rows(named=True):
            hits.setdefault(row[_EXAMPLE], []).append(row)
    for index, example in enumerate(detector.examples):
        failure = str(problems[0]) if problems else _failure(detector, example, hits.get(index, []))
        yield Outcome(example, failure)


def _failure(detector: QueryDetector, example: Example, hits: list[Row]) -> str | None:
    if not example.fires:
        return f"expected none, got a finding by {hits[0]['rule']!r}" if hits else None
    if not hits:
        return "expected a finding, got none"
    try:
        said = [detector.details(row).severity for row in hits]
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        return f"its finding cannot be described: {error!r}"
    severities = {detector.severity if one is None else one for one in said}
    if example.severity is not None and example.severity not in severities:
        return f"expected severity {example.severity:g}, got {', '.join(f'{one:g}' for one in sorted(severities))}"
    return None
