"""Whether memory or queues grew during a soak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

GROWTH_MB_PER_H = 200.0
"""Of all processes together: allocators keep some of what they had, and a leak of this size fills a machine in days."""

BACKLOG_GROWTH_PER_MIN = 5.0

WARM_UP = 1 / 3
"""Of the time: caches fill, tables reach the size that they keep, and compiled code is loaded."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """How a service stood at a time.

    Attributes:
        at_s: since the load began.
        pss_mb: memory by process, shared pages counted once.
        backlog: objects that wait or are not acknowledged.
        p50_s, p95_s: from object to finding; None while there is none.
    """

    at_s: float
    pss_mb: dict[str, float]
    backlog: int
    p50_s: float | None
    p95_s: float | None


def growth(samples: Sequence[Sample]) -> tuple[float, float]:
    """MB an hour, and waiting objects a minute, after the warm-up: slopes of straight lines through the samples."""
    kept = samples[int(len(samples) * WARM_UP) :]
    if len(kept) < 2:
        return 0.0, 0.0
    at = np.array([one.at_s for one in kept])
    memory = np.polyfit(at, [sum(one.pss_mb.values()) for one in kept], 1)[0]
    backlog = np.polyfit(at, [one.backlog for one in kept], 1)[0]
    return float(memory * 3600), float(backlog * 60)


def failures(samples: Sequence[Sample]) -> list[str]:
    """What grew more than it may."""
    memory, backlog = growth(samples)
    found = []
    if memory > GROWTH_MB_PER_H:
        found.append(f"memory grows by {memory:.0f} MB an hour, and {GROWTH_MB_PER_H:.0f} are borne")
    if backlog > BACKLOG_GROWTH_PER_MIN:
        found.append(f"{backlog:.1f} more objects wait each minute, and {BACKLOG_GROWTH_PER_MIN:.0f} are borne")
    return found
