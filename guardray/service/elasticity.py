"""The crew grows with the load and shrinks when it is quiet: what is seen is put to plans, and they are carried out.

See `guardray.service.scaling` for the plans. Nodes follow by themselves: a cluster with an autoscaler brings one up for
a worker that finds no free core.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from guardray.connectors.source import Lag
from guardray.service.crew import Crew, ShardSize
from guardray.service.scaling import (
    History,
    IngestGoals,
    IngestLoad,
    Plan,
    ShardGoals,
    ShardLoad,
    plan_ingest,
    plan_shards,
)

_WEIGHT = 0.2
"""Of the latest epoch in the averages: ten epochs are what counts."""


class ElasticCrew(Crew, Protocol):
    """A crew whose size can be changed."""

    @property
    def workers(self) -> int:
        """Ingest workers that there should be."""

    @property
    def shards(self) -> int:
        """Among how many the state is divided."""

    @property
    def replaced(self) -> int:
        """Ingest workers that had grown beyond their memory limit, and that others took the place of."""

    def resize(self, workers: int) -> None:
        """Have so many ingest workers, as soon as there are cores for them; at least one stays."""

    def divide(self, shards: int) -> None:
        """Divide the state among so many from the next `start` on."""


@dataclass
class Elasticity:
    """Plans for one service.

    Args:
        crew: what is resized.
        tell: is given the reason of each change.
    """

    crew: ElasticCrew
    ingest: IngestGoals
    shards: ShardGoals
    tell: Callable[[str], None]
    _rate: float = 0.0
    _arrivals: float = 0.0
    _last: tuple[float, int] | None = None
    _ingest_history: History = field(default_factory=History)
    _shard_history: History = field(default_factory=History)

    def on_epoch(self, objects: int, seconds: float) -> None:
        """So many objects were read in so long. What an epoch does besides, more workers would not do faster."""
        if objects and seconds > 0:
            rate = objects / seconds / min(objects, self.crew.workers)  # of those that had something to do
            self._rate = rate if self._rate == 0 else (1 - _WEIGHT) * self._rate + _WEIGHT * rate

    def on_look(self, lag: Lag, read: int, now: float) -> None:
        """Resize the ingest workers, where the plan says so.

        Args:
            lag: how far behind the sources are.
            read: objects that were read since the service began.
            now: seconds, of a clock that goes on steadily.
        """
        came = lag.backlog + read
        if self._last is not None and now > self._last[0]:
            per_s = max(came - self._last[1], 0) / (now - self._last[0])
            self._arrivals = (1 - _WEIGHT) * self._arrivals + _WEIGHT * per_s
        self._last = now, came
        load = IngestLoad(
            workers=self.crew.workers,
            backlog=lag.backlog,
            oldest_s=lag.oldest.total_seconds() if lag.oldest else 0.0,
            arrivals_per_s=self._arrivals,
            rate_per_worker=self._rate,
        )
        plan = plan_ingest(load, self.ingest, self._ingest_history, now)
        self._ingest_history = plan.history
        if plan.count != self.crew.workers:
            self.tell(f"ingest workers {plan.reason}")
            self.crew.resize(plan.count)

    def wanted_shards(self, sizes: Sequence[ShardSize], now: float) -> int:
        """Among how many shards the state should be divided."""
        plan = self._shard_plan(sizes, now)
        if plan.count != self.crew.shards:
            self.tell(f"shards {plan.reason}")
        return plan.count

    def _shard_plan(self, sizes: Sequence[ShardSize], now: float) -> Plan:
        rows = [size.rows for size in sizes]
        average = sum(rows) / len(rows) if rows else 0
        load = ShardLoad(
            shards=self.crew.shards,
            rows=sum(rows),
            bytes=sum(size.bytes for size in sizes),
            largest=max(rows) / average if average else 1.0,
        )
        plan = plan_shards(load, self.shards, self._shard_history, now)
        self._shard_history = plan.history
        return plan
