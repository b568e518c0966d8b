"""Problems gathered until somebody asks for them: a thousand equal ones are one with a count."""

from __future__ import annotations

from collections import Counter

from guardray.connectors.source import Problem

_MOST = 1_000
"""Of different ones at a time: beyond, they are counted under their reason alone, or the list would fill the memory."""


class Problems:
    """What went wrong since it was last asked."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, place: str, reason: str, count: int = 1) -> None:
        """Note that something went wrong at a place."""
        known = (place, reason) in self._counts or len(self._counts) < _MOST
        self._counts[(place, reason) if known else ("elsewhere too", reason)] += count

    def drain(self) -> list[Problem]:
        """All that was noted, in the order in which it came first; forgets it."""
        drained = [Problem(place, reason, count) for (place, reason), count in self._counts.items()]
        self._counts.clear()
        return drained
