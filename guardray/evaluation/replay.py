"""Days that were observed, judged again by the product's own code, with whatever models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from guardray.dataflow.behaviour import Behaviour
from guardray.dataflow.event_time import microseconds
from guardray.dataflow.switching_off import Fuses
from guardray.detectors.declare import ActivityDetector, Detector, activities_of
from guardray.evaluation.observed import Observed
from guardray.findings.sighting import Sighting
from guardray.shards.activities import ActivityTable

AfterDay = Callable[[int, Behaviour], None]
"""Called with the number of days that are over, and what judges them: the place to train anew."""


def by_rules(detectors: Sequence[ActivityDetector], tables: dict[str, ActivityTable]) -> Behaviour:
    """Judges days without any model."""
    return Behaviour(detectors, tables, Fuses(lambda _: None))


def replay(
    observed: Observed,
    detectors: Sequence[Detector],
    start: datetime,
    days: int,
    behaviour: Callable[[Sequence[ActivityDetector], dict[str, ActivityTable]], Behaviour] = by_rules,
    after_day: AfterDay = lambda day, judge: None,
) -> list[Sighting]:
    """What detectors tell of, each day by itself.

    Args:
        observed: the days.
        detectors: those that `observed` was made with, or with other thresholds.
        start: midnight of the first day.
        days: how many.
        behaviour: makes what judges days, of the detectors of activities and the state of these.
        after_day: hears when a day is judged.
    """
    chosen = [one for one in detectors if isinstance(one, ActivityDetector)]
    tables = {activity.name: ActivityTable(activity) for activity in activities_of(chosen)}
    for name, rows in observed.activities.items():
        if name in tables:
            tables[name].add(rows)
    judge = behaviour(chosen, tables)
    found = list(observed.others)
    for day in range(1, days + 1):
        found += judge.close(microseconds(start.astimezone(UTC) + timedelta(days=day)))
        after_day(day, judge)
    return found
