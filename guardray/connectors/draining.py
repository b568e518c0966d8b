"""How fast what waits is read, and so how long it takes until there is room."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass

_MEMORY_S = 30.0
"""Over how long the rate is averaged: a reader works in epochs, and stands still in between."""

_UNKNOWN_S = 10
"""Told as long as nothing was seen to go: the reader may be about to."""

_LEAST_S, _MOST_S = 1, 300
"""What senders are told: at once would be no back-pressure, and after hours nobody comes back."""


@dataclass(frozen=True)
class Usage:
    """Objects and bytes that wait."""

    objects: int = 0
    size: int = 0

    @classmethod
    def of(cls, statuses: Iterable[os.stat_result]) -> Usage:
        """Of files."""
        sizes = [status.st_size for status in statuses]
        return cls(len(sizes), sum(sizes))

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.objects + other.objects, self.size + other.size)

    def __sub__(self, other: Usage) -> Usage:
        return Usage(self.objects - other.objects, self.size - other.size)


class Drain:
    """The rate at which what waits grows less, averaged over the last half minute."""

    def __init__(self) -> None:
        self._objects_per_s = 0.0
        self._bytes_per_s = 0.0
        self._observed_s = 0.0

    def observe(self, gone: Usage, elapsed_s: float) -> None:
        """Take in what went in some seconds."""
        self._observed_s += elapsed_s
        weight = 1 - math.exp(-elapsed_s / _MEMORY_S)
        self._objects_per_s += weight * (max(gone.objects, 0) / elapsed_s - self._objects_per_s)
        self._bytes_per_s += weight * (max(gone.size, 0) / elapsed_s - self._bytes_per_s)

    def time_for(self, excess: Usage) -> int:
        """In how many seconds so much will have gone."""
        if self._objects_per_s == 0 and self._observed_s < _MEMORY_S:
            return _UNKNOWN_S
        objects_s = _time(excess.objects, self._objects_per_s)
        return round(min(max(objects_s, _time(excess.size, self._bytes_per_s), _LEAST_S), _MOST_S))


def _time(amount: int, rate: float) -> float:
    if amount <= 0:
        return 0.0
    return math.inf if rate <= 0 else math.ceil(amount / rate)
