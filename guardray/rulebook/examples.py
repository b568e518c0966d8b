"""Examples of rules, run: each passes, or there is a reason why it does not.

What runs them is compiled, so that it is imported where there are rules to run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from guardray.context.enrich import enrich
from guardray.custom.queries import QueryRunner
from guardray.detectors.declare import Detector, Example, QueryDetector
from guardray.intel.store import IndicatorStore
from guardray.schema import EventSchema
from guardray.types import Row

_RULE, _EXAMPLE = "_rule", "_example"


@dataclass(frozen=True)
class Outcome:
    """What came of an example. `failure` is null where it passed; `error` is there where the detector's code failed."""

    example: Example
    failure: str | None = None
    error: Exception | None = None


def outcomes(detector: Detector) -> list[Outcome]:
    """What comes of each example of a detector, whatever the detector does."""
    return outcomes_of_all([detector])[0]


def outcomes_of_all(detectors: Sequence[Detector]) -> list[list[Outcome]]:
    """The same of many: their examples in their order.

    What a rule in SQL says of a row depends on no other, so that the rows of all of them are made and enriched at once.
    """
    batches = _batches([one for one in detectors if isinstance(one, QueryDetector)])
    return [
        list(_of_query(one, batches[one.finding_type]))
        if isinstance(one, QueryDetector)
        else [_of_any(one, example) for example in one.examples]
        for one in detectors
    ]


def _of_any(detector: Detector, example: Example) -> Outcome:
    from guardray.testing import check_example

    try:
        check_example(detector, example)
    except AssertionError as error:
        return Outcome(example, str(error).partition(f"{example.name!r}: ")[2])
    except Exception as error:  # the detector is somebody's own, and may fail in any way
        return Outcome(example, f"{type(error).__name__}: {error}", error)
    return Outcome(example)


def _batches(detectors: Iterable[QueryDetector]) -> dict[str, pl.DataFrame]:
    """The enriched rows of each detector's examples, by finding type."""
    from guardray.testing import frame_of

    by_schema: dict[str, tuple[EventSchema, list[QueryDetector]]] = {}
    for detector in detectors:
        by_schema.setdefault(detector.schema.name, (detector.schema, []))[1].append(detector)
    batches: dict[str, pl.DataFrame] = {}
    for schema, group in by_schema.values():
        placed = [
            (one.finding_type, place, row)
            for one in group
            for place, example in enumerate(one.examples)
            for row in example.rows
        ]
        batch = enrich(frame_of(schema, [row for _, _, row in placed]), schema, IndicatorStore()).with_columns(
            pl.Series(_RULE, [rule for rule, _, _ in placed], pl.String),
            pl.Series(_EXAMPLE, [place for _, place, _ in placed], pl.Int64),
        )
        batches |= {one.finding_type: batch.filter(pl.col(_RULE) == one.finding_type) for one in group}
    return batches


def _of_query(detector: QueryDetector, batch: pl.DataFrame) -> Iterator[Outcome]:
    found, problems = QueryRunner([detector]).hits(batch)
    hits: dict[int, list[Row]] = {}
    for _, of_rule in found:
        for row in of_rule.iter_rows(named=True):
            hits.setdefault(row[_EXAMPLE], []).append(row)
    for place, example in enumerate(detector.examples):
        failure = str(problems[0]) if problems else _failure(detector, example, hits.get(place, []))
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
