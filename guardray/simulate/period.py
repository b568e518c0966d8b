"""The stretch of time that a simulation covers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from guardray.errors import UsageError

HOUR = 3600.0
DAY = 86400.0
SHORTEST_DAYS = 0.125  # an attack and its quiet surroundings need three hours
LONGEST_DAYS = 366.0  # new instances every day use up a network's addresses after little more

FIRST_START, LAST_START = datetime(1970, 1, 2, tzinfo=UTC), datetime(2098, 1, 1, tzinfo=UTC)
"""Logs of times that are further away are taken for damaged."""

DEFAULT_START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday


@dataclass(frozen=True)
class Period:
    """Epoch seconds from `start` up to `end`."""

    start: float
    end: float

    @classmethod
    def of(cls, start: datetime, days: float) -> Period:
        """The period of so many days.

        Raises:
            UsageError: the start has no time zone or is far away, or the period is shorter than three hours or longer
                than a year.
        """
        if start.tzinfo is None:
            raise UsageError(f"start {start.isoformat()} has no time zone")
        if not FIRST_START <= start <= LAST_START:
            raise UsageError(f"start {start.isoformat()} is not between {FIRST_START:%Y} and {LAST_START:%Y}")
        if not SHORTEST_DAYS <= days <= LONGEST_DAYS:
            raise UsageError(f"days is {days:g}, not between {SHORTEST_DAYS:g} and {LONGEST_DAYS:g}")
        first = float(int(start.timestamp()))
        return cls(first, first + float(round(days * DAY)))

    @property
    def seconds(self) -> float:
        return self.end - self.start

    def moment(self, rng: np.random.Generator, duration: float = 0.0) -> float:
        """A random start of something that takes `duration` seconds, clear of both ends of the period."""
        first = self.start + 0.2 * min(self.seconds, DAY)
        last = max(first + 1.0, self.end - duration - 0.05 * min(self.seconds, DAY))
        return float(np.floor(rng.uniform(first, last)))

    def pieces(self, length: float) -> Iterator[Period]:
        """The period cut into pieces of `length` seconds; the last may be shorter."""
        start = self.start
        while start < self.end:
            yield Period(start, min(start + length, self.end))
            start += length
