"""How many ingest workers and shards there should be: pure functions of what is seen, with reasons for the log.

Both go up at once and come down late. What counts for coming down is the most that was asked for in a whole quiet span,
so that a load that comes and goes within it changes nothing, and some room is left above what a load needs, so that
noise does not either.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

FULL = 0.8
"""How busy workers are meant to be: they are made for a load plus a quarter. A load that is up to a quarter larger
than it was needs no more of them."""

MOST_GROWTH = 2.0
"""Workers at most double because something waits too long: age tells that there are too few, not how many there should
be."""


@dataclass(frozen=True, kw_only=True)
class Range:
    """The least and the most there may be."""

    min: int
    max: int

    def __post_init__(self) -> None:
        if not 1 <= self.min <= self.max:
            raise ValueError(f"there cannot be {self.min} to {self.max}")

    def nearest(self, count: int) -> int:
        """The count, or the end of the range that it is beyond."""
        return min(max(count, self.min), self.max)


@dataclass(frozen=True, kw_only=True)
class History:
    """What was asked for lately: the state that plans go on from. It begins empty.

    Attributes:
        demands: when, in seconds, and how many, as a fraction: the most of each later time, oldest first.
        since: when the first plan was made; a quiet span must have passed since then.
        raised: when there were last made more because something had waited too long.
    """

    demands: tuple[tuple[float, float], ...] = ()
    since: float | None = None
    raised: float | None = None

    def with_demand(self, at: float, demand: float, span_s: float) -> History:
        """The same with one more, without those that are older than the span and those that a later one exceeds."""
        kept = tuple((when, much) for when, much in self.demands if when > at - span_s and much > demand)
        return replace(self, demands=(*kept, (at, demand)), since=at if self.since is None else self.since)

    def most(self) -> float:
        """The most that was asked for."""
        return max((much for _, much in self.demands), default=0.0)

    def is_as_long_as(self, span_s: float, at: float) -> bool:
        """Whether a whole span was seen."""
        return self.since is not None and at - self.since >= span_s


@dataclass(frozen=True)
class Plan:
    """How many there should be, why, and what the next plan goes on from."""

    count: int
    reason: str
    history: History


@dataclass(frozen=True, kw_only=True)
class IngestLoad:
    """What ingest workers have before them.

    Attributes:
        workers: there are now.
        backlog: objects that wait.
        oldest_s: how long the oldest of them has waited.
        arrivals_per_s: objects that came, a second.
        rate_per_worker: objects that one worker reads a second when it is busy; 0 while nobody knows.
    """

    workers: int
    backlog: int
    oldest_s: float = 0.0
    arrivals_per_s: float = 0.0
    rate_per_worker: float = 0.0


@dataclass(frozen=True, kw_only=True)
class IngestGoals:
    """What is wanted of ingest.

    Attributes:
        range: of the workers.
        target_age_s: the oldest object should not wait for longer, and what waits should be read in this time.
        quiet_s: workers are taken away when fewer were enough for so long.
        settle_s: how long new workers take to show what they can do, a new node's start included.
    """

    range: Range
    target_age_s: float = 30.0
    quiet_s: float = 300.0
    settle_s: float = 60.0


def plan_ingest(load: IngestLoad, goals: IngestGoals, history: History, now: float) -> Plan:
    """How many ingest workers there should be.

    Args:
        load: what is seen.
        goals: what is wanted.
        history: of the plan before this one.
        now: seconds, of any clock that goes on steadily.
    """
    demand = _demand(load, goals)
    waits = load.backlog > 0 and load.oldest_s > goals.target_age_s
    history = history.with_demand(now, float(load.workers) if demand is None else demand, goals.quiet_s)
    asked = math.ceil(demand / FULL) if demand is not None and demand > load.workers else 0
    aged = _aged(load, goals) if waits and _may_raise(history, goals, now) else 0
    if asked > aged:
        why = f"{_objects(load)} are work for {demand:.1f} workers within {goals.target_age_s:g} s"
        return _plan(load.workers, asked, goals.range, why, history)
    if aged:
        why = f"the oldest of {_objects(load)} has waited for {load.oldest_s:.0f} s, not {goals.target_age_s:g} s"
        return _plan(load.workers, aged, goals.range, why, replace(history, raised=now))
    enough = math.ceil(history.most() / FULL)
    if enough < load.workers and not waits and history.is_as_long_as(goals.quiet_s, now):
        why = f"{max(enough, 1)} have been enough for {goals.quiet_s:g} s"
        return _plan(load.workers, enough, goals.range, why, history)
    return _plan(load.workers, load.workers, goals.range, f"{_objects(load)} are no reason to change", history)


def _demand(load: IngestLoad, goals: IngestGoals) -> float | None:
    """How many workers keep up with what comes and read what waits in time. None while nobody knows their rate."""
    per_s = load.arrivals_per_s + load.backlog / goals.target_age_s
    if per_s == 0:
        return 0.0
    return per_s / load.rate_per_worker if load.rate_per_worker > 0 else None


def _aged(load: IngestLoad, goals: IngestGoals) -> int:
    """How many there should be because the oldest has waited too long: no more than there are objects to read."""
    growth = min(load.oldest_s / goals.target_age_s, MOST_GROWTH)
    return min(math.ceil(load.workers * growth), max(load.backlog, load.workers))


def _may_raise(history: History, goals: IngestGoals, now: float) -> bool:
    return history.raised is None or now - history.raised >= goals.settle_s


def _objects(load: IngestLoad) -> str:
    return f"{load.backlog:,} waiting objects"


@dataclass(frozen=True, kw_only=True)
class ShardLoad:
    """What shards hold.

    Attributes:
        shards: there are now.
        rows: keys of all of them together.
        bytes: that these take.
        largest: of the fullest one, as a share of the average: 1 where all are alike.
    """

    shards: int
    rows: int
    bytes: int = 0
    largest: float = 1.0


@dataclass(frozen=True, kw_only=True)
class ShardGoals:
    """What is wanted of shards.

    Attributes:
        range: of their number.
        max_rows: of one.
        max_bytes: of one.
        quiet_s: shards are put together when half of them were enough for so long. Moving state costs a checkpoint
            and its restore, so this is long.
    """

    range: Range
    max_rows: int = 5_000_000
    max_bytes: int = 1 << 30
    quiet_s: float = 3600.0


def plan_shards(load: ShardLoad, goals: ShardGoals, history: History, now: float) -> Plan:
    """How many shards there should be: twice as many, again and again, until none is too full; half as many when those
    would be half full at most.

    The arguments are those of `plan_ingest`.
    """
    by_rows, by_bytes = load.rows / goals.max_rows, load.bytes / goals.max_bytes
    demand = max(by_rows, by_bytes) * max(load.largest, 1.0)
    history = history.with_demand(now, demand, goals.quiet_s)
    if demand > load.shards:
        what = f"{load.rows:,} keys" if by_rows >= by_bytes else f"{load.bytes / 2**20:,.0f} MB of state"
        why = f"{what}, the fullest shard at {load.largest:.1f} of the average, fill {demand:.1f} shards"
        return _plan(load.shards, load.shards * _power_of_two(demand / load.shards), goals.range, why, history)
    half = load.shards // 2
    if half and history.most() <= half / 2 and history.is_as_long_as(goals.quiet_s, now):
        why = f"{half} would have been half full at most for {goals.quiet_s:g} s"
        return _plan(load.shards, half, goals.range, why, history)
    return _plan(load.shards, load.shards, goals.range, f"{load.rows:,} keys are no reason to change", history)


def _power_of_two(least: float) -> int:
    """The smallest power of two that is not below."""
    return 1 << max(math.ceil(math.log2(least)), 0)


def _plan(now: int, wanted: int, allowed: Range, why: str, history: History) -> Plan:
    count = allowed.nearest(wanted)
    verb = "stay" if count == now else f"from {now} to {count}"
    bound = "" if count == wanted else f"; {wanted} are wanted, {allowed.min} to {allowed.max} allowed"
    return Plan(count, f"{verb}: {why}{bound}", history)
