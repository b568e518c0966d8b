"""Arrivals that could not be read yet and wait to be handed out again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from guardray.connectors.source import Arrival, Failure, Receipt

FIRST_WAIT = {Failure.THROTTLED: timedelta(seconds=1), Failure.DENIED: timedelta(seconds=30)}
LONGEST_WAIT = timedelta(minutes=15)
"""A permission that was granted is noticed within this."""


def wait_before(attempt: int, failure: Failure) -> timedelta:
    """How long to leave an object alone after so many attempts: doubled each time, without jitter."""
    first = FIRST_WAIT.get(failure, FIRST_WAIT[Failure.THROTTLED])
    doublings: int = 2 ** min(attempt - 1, 20)
    return min(first * doublings, LONGEST_WAIT)


@dataclass
class _Waiting:
    arrival: Arrival
    due: datetime


class Retries:
    """Released arrivals, each with the time from which it may be tried again."""

    def __init__(self) -> None:
        self._waiting: dict[Receipt, _Waiting] = {}
        # Jitter only: so that a thousand objects that were throttled together do not come back together.
        self._random = random.Random()

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Receipt]:
        return iter(self._waiting)

    def add(self, arrival: Arrival, failure: Failure, now: datetime) -> None:
        """Keep one back for a while."""
        wait = wait_before(arrival.attempt, failure) * self._random.uniform(0.5, 1.0)
        self._waiting[arrival.receipt] = _Waiting(replace(arrival, attempt=arrival.attempt + 1), now + wait)

    def due(self, limit: int, now: datetime) -> list[Arrival]:
        """Up to `limit` whose time has come; they wait no more."""
        due = [waiting.arrival for waiting in self._waiting.values() if waiting.due <= now][:limit]
        for arrival in due:
            del self._waiting[arrival.receipt]
        return due

    def drop(self, receipt: Receipt) -> None:
        """Forget one, if it waits."""
        self._waiting.pop(receipt, None)

    def clear(self) -> None:
        """Forget all."""
        self._waiting.clear()
