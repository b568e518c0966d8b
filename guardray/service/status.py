"""How the service stands: what its coordinator writes down every few seconds, and everything that shows it reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from guardray.errors import StoreError

FRESH = timedelta(seconds=15)
"""How old a status may be and still be true. It is written every few seconds, also while an epoch is being processed;
three that were missed are no accident."""


LATELY = timedelta(minutes=10)
UNSTEADY = 10
"""Losses of workers or shards within `LATELY` from which on the service does not count as ready: one in a minute is
more than a machine that fails now and then."""


class Phase(StrEnum):
    """What the service is at."""

    STARTING = "starting"
    RESTORING = "restoring"
    RUNNING = "running"
    DRAINING = "draining"
    STOPPED = "stopped"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class EpochStatus:
    """The last epoch whose findings are committed."""

    number: int
    committed_at: datetime


@dataclass(frozen=True, kw_only=True)
class CheckpointStatus:
    """The last checkpoint that counts.

    Attributes:
        epoch: whose state it holds.
        at: when it was registered.
        bytes: of all files that it refers to.
        seconds: that it took.
    """

    number: int
    epoch: int
    at: datetime
    bytes: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class SourceStatus:
    """How far behind a source is.

    Attributes:
        name: its URL.
        backlog: objects that wait or are being worked on, an estimate.
        oldest_s: how long the oldest of them has been waiting; null: none waits.
        problems: told of it since the service began.
    """

    name: str
    backlog: int
    oldest_s: float | None = None
    problems: int = 0


@dataclass(frozen=True, kw_only=True)
class ShardStatus:
    """How much state a shard holds: rows of its tables, and bytes in memory, null where that is not known.

    Attributes:
        resident: bytes that its process takes in all.
        evicted: how much had to go before its time since the shard was made.
    """

    index: int
    rows: int
    bytes: int | None = None
    resident: int | None = None
    evicted: int = 0


@dataclass(frozen=True, kw_only=True)
class IngestStatus:
    """The workers that read objects, and how many of them are at it."""

    workers: int
    busy: int


@dataclass(frozen=True, kw_only=True)
class PoolStatus:
    """A detector pool: how many replicas there are and should be, and requests that wait."""

    name: str
    replicas: int
    wanted: int
    waiting: int = 0


@dataclass(frozen=True, kw_only=True)
class PublisherStatus:
    """What is to go to a destination: findings that are due now, and those that were given up."""

    destination: str
    due: int
    dead: int
    last_sent: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class CountStatus:
    """What was counted since this service began; a new coordinator begins at zero.

    Attributes:
        rows: normalised, by the log that they are of, such as `cloudtrail-management` or `vpc-flow`; `unknown` are
            those that do not tell their account or Region.
        objects: read to their end.
        bytes: of them, as they are stored.
        set_aside: rows and objects that cannot be read.
        late: rows that came after the lateness bound.
        duplicates: events that were seen before.
        findings_created: that were new.
        findings_updated: that were known, and seen again.
        evicted: rows of state that had to go before their time, since the budget was used up.
        restarts: times that workers or shards were lost and made anew.
        replaced: ingest workers that had grown beyond their memory limit, and that others took the place of.
    """

    rows: dict[str, int] = field(default_factory=dict)
    objects: int = 0
    bytes: int = 0
    set_aside: int = 0
    late: int = 0
    duplicates: int = 0
    findings_created: int = 0
    findings_updated: int = 0
    evicted: int = 0
    restarts: int = 0
    replaced: int = 0


@dataclass(frozen=True, kw_only=True)
class LatencyStatus:
    """From when an object was noticed to when its findings could be seen, in seconds, over the latest `objects`."""

    p50_s: float
    p95_s: float
    objects: int


@dataclass(frozen=True, kw_only=True)
class KnownProblem:
    """Something that the operator has to know of: what, how often since `since`."""

    text: str
    count: int
    since: datetime


@dataclass(frozen=True, kw_only=True)
class ServiceStatus:
    """How the service stands.

    What has a default may be left out by whoever writes a status, and is then not shown: a null means that there is
    none yet.

    Attributes:
        told_at: when this was so.
        since: when the coordinator began.
        fence: its number as the one writer.
        watermark: the time before which no event on time is waited for.
        refusal: why it cannot go on from the state that there is, and what to do.
        replay: of the epochs that are processed once more, how many are done, and how many they are.
        lost_lately: times that workers or shards were lost in the last minutes.
        pending: sightings that wait to be final.
        publishers: filled in from the outbox by those who show a status, since the coordinator does not publish.
    """

    phase: Phase
    told_at: datetime
    since: datetime
    fence: int
    version: str = ""
    refusal: str | None = None
    replay: tuple[int, int] | None = None
    lost_lately: int = 0
    epoch: EpochStatus | None = None
    checkpoint: CheckpointStatus | None = None
    watermark: datetime | None = None
    pending: int = 0
    sources: tuple[SourceStatus, ...] = ()
    shards: tuple[ShardStatus, ...] = ()
    ingest: IngestStatus | None = None
    pools: tuple[PoolStatus, ...] = ()
    publishers: tuple[PublisherStatus, ...] = ()
    counts: CountStatus = CountStatus()
    latency: LatencyStatus | None = None
    problems: tuple[KnownProblem, ...] = ()

    def age(self, now: datetime) -> timedelta:
        """How long ago this was so; never negative, whatever the clocks of two machines say."""
        return max(now - self.told_at, timedelta())

    def not_ready(self, now: datetime) -> str | None:
        """Why the service does no work at `now`; null: it does."""
        if self.phase is Phase.STOPPED:
            return "the service has stopped"
        if self.phase is Phase.REFUSED:
            return "the service refused to begin, see `guardray status`"  # why names paths, and anybody may ask
        if self.phase is Phase.FAILED:
            return "the service has failed for good, see `guardray status`"
        if (age := self.age(now)) > FRESH:
            return f"nothing was heard of the service for {age.total_seconds():,.0f} s"
        if self.phase is not Phase.RUNNING:
            return f"the service is {self.phase}"
        if self.lost_lately >= UNSTEADY:
            return f"workers or shards were lost {self.lost_lately} times in the last {LATELY.seconds // 60} minutes"
        return None


def encoded(status: ServiceStatus) -> str:
    """The status as the store keeps it."""
    return msgspec.json.encode(status).decode()


def decoded(content: str) -> ServiceStatus:
    """The status that `encoded` gave. What a newer program has added is left out.

    Raises:
        StoreError: it is none.
    """
    try:
        return msgspec.json.decode(content, type=ServiceStatus)
    except msgspec.MsgspecError as error:
        raise StoreError(f"the status of the service cannot be read: {error}") from error
