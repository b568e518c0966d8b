"""What a detector keeps, learns and looks at, in words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from guardray.detectors.declare import ActivityDetector, ChangeDetector, Detector, WindowDetector

_LEARNING = {
    "none": "nothing",
    "before": "what is usual, by day; it is silent until enough was learned",
    "after": "what is usual, by day; it fires at once, then gets used to what goes on",
}


def state_of(detector: Detector) -> str:
    """What it must remember, and for how long."""
    match detector:
        case ChangeDetector(key=key):
            return f"the last known configuration of each {listed(key)}"
        case WindowDetector(key=key, window=window, hop=hop, measures=measures):
            sliding = f", which slides by {span(hop)}" if hop else ""
            return (
                f"{listed(sorted(measures))} of each interface and {listed(key)} in a window of {span(window)}{sliding}"
            )
        case ActivityDetector(activity=activity):
            learned = sorted({*activity.habits, *activity.levels})
            days = f"; {listed(learned)} of earlier days" if learned else ""
            return (
                f"{listed(sorted(activity.measures))} of each {listed(activity.group)} in {span(activity.period)}{days}"
            )
    return "nothing: each row is judged alone"


def learning_of(detector: Detector) -> str:
    """What it learns before it can judge."""
    return _LEARNING[detector.learning if isinstance(detector, ActivityDetector) else "none"]


def lists_of(detector: Detector) -> str:
    """The lists that it looks at."""
    wanted = dict.fromkeys(f"{kind}es of {category}" if kind == "address" else f"{kind}s of {category}"
                           for kind, category in detector.wanted_lists)  # fmt: skip
    return listed(wanted, "or") or "none"


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
