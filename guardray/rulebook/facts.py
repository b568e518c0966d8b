"""What a detector keeps, learns and looks at, in words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from guardray.detectors.declare import ActivityDetector, ChangeDetector, Detector, Learning, WindowDetector

LEARNING: dict[Learning, str] = {
    "none": "nothing",
    "before": "what is usual, by day; it is silent until enough was learned",
    "after": "what is usual, by day; it fires at once, then gets used to what goes on",
}
"""What each kind of learning means, in words."""


def state_of(detector: Detector) -> str:
    """What it must remember, and for how long."""
    match detector:
        case ChangeDetector(key=key, is_behaviour=is_behaviour):
            return (
                f"{'what was done last by' if is_behaviour else 'the last known configuration of'} each {listed(key)}"
            )
        case WindowDetector(key=key, window=window, hop=hop, measures=measures):
            sliding = f", which slides by {span(hop)}" if hop else ""
            return (
                f"{listed(sorted(measures))} of each interface and {listed(key)} in a window of {span(window)}{sliding}"
            )
        case ActivityDetector(activity=activity):
            learned = sorted({*activity.habits, *activity.levels, *activity.rhythms})
            days = f"; {listed(learned)} of earlier days" if learned else ""
            return (
                f"{listed(sorted(activity.measures))} of each {listed(activity.group)} in {span(activity.period)}{days}"
            )
    return "nothing: each row is judged alone"


def learning_of(detector: Detector) -> Learning:
    """When it learns what is usual."""
    return detector.learning if isinstance(detector, ActivityDetector) else "none"


def needs_of(detector: Detector) -> str:
    """What it cannot work without, beside its log; empty where that is nothing."""
    plurals = {"address": "addresses", "domain": "domains"}
    wanted = dict.fromkeys(f"{category} {plurals[kind]}" for kind, category in detector.wanted_lists)
    needs = {
        f"a list of {listed(wanted, 'or')}": bool(wanted),
        "logs of earlier days": learning_of(detector) == "before",
        "an inventory of instances": detector.concerns is not None,
    }
    return listed(need for need, is_needed in needs.items() if is_needed)


def listed(names: Iterable[str], last: str = "and") -> str:
    """Such as `a, b and c`."""
    *others, final = list(names) or [""]
    return f"{', '.join(others)} {last} {final}" if others else final


def span(time: timedelta) -> str:
    """Such as `5 min` and `1 d`."""
    seconds = time.total_seconds()
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s"
