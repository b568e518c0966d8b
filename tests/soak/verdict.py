"""Whether memory or queues grew during a soak, and how long findings took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

GROWTH_MB_PER_H = 200.0
"""Of all processes together: allocators keep some of what they had, and a leak of this size fills a machine in days."""

BACKLOG_GROWTH_PER_MIN = 5.0

LATENCY_GOAL_S = 5.0
"""Of 95 of 100 findings, from the object's being there to the finding's being shown."""

WARM_UP = 1 / 3
"""Of the time: caches fill, tables reach the size that they keep, and compiled code is loaded."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """How a service stood at a time.

    Attributes:
        at_s: since the load began.
        pss_mb: memory by process, shared pages counted once.
        backlog: objects that wait or are not acknowledged.
        oldest_s: how long the oldest of them has waited; None while none waits.
        pending: sightings that wait to be final.
        state_mb: what shards say that their state takes.
        rows: of their tables.
        objects: that were read.
        findings: that were made, and seen again.
    """

    at_s: float
    pss_mb: dict[str, float]
    backlog: int
    oldest_s: float | None = None
    pending: int = 0
    state_mb: float = 0.0
    rows: int = 0
    objects: int = 0
    findings: tuple[int, int] = (0, 0)


@dataclass(frozen=True, kw_only=True)
class Course:
    """A whole soak.

    Attributes:
        latencies: when a probe was written, in seconds since the load began, and until its finding was seen.
        lost: probes that became no finding.
        problems: what the service told its operator.
    """

    samples: Sequence[Sample]
    latencies: Sequence[tuple[float, float]] = ()
    lost: Sequence[str] = field(default=())
    problems: Sequence[str] = field(default=())

    def latency(self, share: float) -> float | None:
        """Seconds that this share of the findings took at most, after the warm-up. None: there were none."""
        first = self.samples[-1].at_s * WARM_UP if self.samples else 0.0
        kept = [took for at, took in self.latencies if at >= first]
        return float(np.quantile(kept, share)) if kept else None


def growth(samples: Sequence[Sample]) -> tuple[float, float]:
    """MB an hour, and waiting objects a minute, after the warm-up: slopes of straight lines through the samples."""
    kept = samples[int(len(samples) * WARM_UP) :]
    if len(kept) < 2:
        return 0.0, 0.0
    at = np.array([one.at_s for one in kept])
    memory = np.polyfit(at, [sum(one.pss_mb.values()) for one in kept], 1)[0]
    backlog = np.polyfit(at, [one.backlog for one in kept], 1)[0]
    return float(memory * 3600), float(backlog * 60)


def failures(course: Course) -> list[str]:
    """What was more than it may be."""
    memory, backlog = growth(course.samples)
    p95 = course.latency(0.95)
    found = []
    if memory > GROWTH_MB_PER_H:
        found.append(f"memory grows by {memory:.0f} MB an hour, and {GROWTH_MB_PER_H:.0f} are borne")
    if backlog > BACKLOG_GROWTH_PER_MIN:
        found.append(f"{backlog:.1f} more objects wait each minute, and {BACKLOG_GROWTH_PER_MIN:.0f} are borne")
    if p95 is None:
        found.append("no finding was seen")
    elif p95 > LATENCY_GOAL_S:
        found.append(f"5 of 100 findings take more than {p95:.1f} s, and {LATENCY_GOAL_S:.0f} s are wanted")
    found += [f"never seen: {one}" for one in course.lost]
    return found
