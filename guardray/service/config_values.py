"""Forms of values in the service's configuration: spans of time, and the parts that keys are grouped in."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt, model_validator

_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)?")
_SECONDS = {"ms": 0.001, None: 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_LONGEST = timedelta(days=3660)


def _span(value: Any) -> timedelta:
    """`30m`, `12h`, `1d`, or seconds."""
    if isinstance(value, timedelta):
        return value
    found = _SPAN.fullmatch(str(value).strip())
    if found is None or isinstance(value, bool):
        raise ValueError("is no span of time, such as 30s, 15m, 1h, 8d, or a number of seconds")
    seconds = float(found[1]) * _SECONDS[found[2]]
    if seconds > _LONGEST.total_seconds():
        raise ValueError("is longer than ten years")
    return timedelta(seconds=seconds)


Span = Annotated[timedelta, BeforeValidator(_span)]
"""A time that passes, and may be none at all."""
Interval = Annotated[timedelta, BeforeValidator(_span), Field(gt=timedelta(0))]
"""A time between two things, which is never nothing."""
Account = Annotated[str, Field(pattern=r"^\d{12}$")]


class Group(BaseModel):
    """Keys that belong together. Unknown ones are refused, since a misspelt setting would be a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceOptions(Group):
    """What a source can be told; which of it a kind of source knows, `guardray.connectors.opening` says.

    Attributes:
        region: of a queue, where its URL does not name it.
        endpoint: of another service that speaks the protocol of S3 or SQS.
        visibility: how long a message of a queue is kept from others while it is worked on.
        wait_s: how long an empty queue is waited at.
        receivers: requests to a queue at once.
        max_receives: a message that came more often is poison.
        listers: requests to a bucket at once.
        discovery_interval: how often a bucket is looked through for new accounts and Regions.
        still: a file of a folder is read when nobody has written to it for so long.
        look_interval: how often a folder is looked through where the system tells of no changes.
        recheck_interval: how often it is where it does.
    """

    region: str | None = None
    endpoint: str | None = None
    visibility: Interval | None = None
    wait_s: Annotated[int, Field(ge=0, le=20)] | None = None
    receivers: PositiveInt | None = None
    max_receives: PositiveInt | None = None
    listers: PositiveInt | None = None
    discovery_interval: Interval | None = None
    still: Span | None = None
    look_interval: Interval | None = None
    recheck_interval: Interval | None = None

    def given(self) -> dict[str, Any]:
        """Those that are set, by the names that `open_source` takes."""
        return self.model_dump(exclude_none=True)


class SourceConfig(Group):
    """Where objects keep arriving. A text alone is its URL."""

    url: Annotated[str, Field(min_length=1)]
    options: SourceOptions = SourceOptions()

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"url": value} if isinstance(value, str) else value


class EventsConfig(Group):
    """Which objects are wanted: all of them, unless told.

    Attributes:
        accounts: only these.
        regions: only these.
        since: only events from this time on; the first listing of a bucket starts there.
    """

    accounts: tuple[Account, ...] = ()
    regions: tuple[Annotated[str, Field(pattern=r"^[\w-]+$")], ...] = ()
    since: datetime | None = None

    @model_validator(mode="after")
    def _in_a_zone(self) -> Self:
        if self.since is not None and self.since.tzinfo is None:
            raise ValueError("since has no time zone: write 2026-11-01T00:00:00Z")
        return self


class PatienceConfig(Group):
    """How long event time waits for what is late; see `guardray.service.watermark`."""

    lateness: Span = timedelta(hours=1)
    disorder: Span = timedelta(minutes=15)
    idle: Interval = timedelta(minutes=30)


class EpochConfig(Group):
    """How much is read at once.

    Attributes:
        max_objects: of an epoch.
        max_bytes: of an epoch's objects, as they lie there.
        interval: event time goes on in such steps where nothing comes.
    """

    max_objects: PositiveInt = 500
    max_bytes: PositiveInt = 32 << 20
    interval: Interval = timedelta(minutes=1)


class CheckpointConfig(Group):
    """How often state is kept, and how many checkpoints are. So much is processed once more after a loss.

    Two at least: an object is acknowledged when two hold it, so that a damaged one costs nothing.
    """

    interval: Interval = timedelta(seconds=30)
    kept: Annotated[int, Field(ge=2)] = 3


class Bounds(Group):
    """The least and the most of something that follows the load."""

    min: PositiveInt = 1
    max: PositiveInt = 1

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.max < self.min:
            raise ValueError(f"max is {self.max}, below min, which is {self.min}")
        return self


class IngestConfig(Bounds):
    """How many workers read logs.

    Attributes:
        target_age: the oldest object should not wait for longer.
        quiet: workers are taken away when fewer have been enough for so long.
    """

    target_age: Interval = timedelta(seconds=30)
    quiet: Interval = timedelta(minutes=5)


class ShardsConfig(Bounds):
    """Among how many processes state is divided.

    Attributes:
        max_rows: keys that one should hold at most.
    """

    max_rows: PositiveInt = 5_000_000


class MemoryConfig(Group):
    """What processes and state may take, in MB: state past its budget is evicted, the oldest first.

    Attributes:
        shard_mb: of a shard's process, of which state should fill half: more shards are made past that. Where the
            process takes all of it, the oldest state is evicted whatever the budget says.
        ingest_mb: of a worker that reads logs. One that has grown beyond it is replaced between two epochs.
        other_mb: of each of the others: coordinator, publisher, trainer, a training, replicas of the API and of pools.
            One that has grown beyond it is replaced as well.
        budget_mb: of the state of all shards together; half of what they may take if not given.
    """

    shard_mb: Annotated[int, Field(ge=256)] = 2048
    ingest_mb: Annotated[int, Field(ge=512)] = 1536
    other_mb: Annotated[int, Field(ge=512)] = 1024
    budget_mb: PositiveInt | None = None


class TlsConfig(Group):
    """A certificate with its chain, and its key, both in PEM. Without both the API speaks HTTP."""

    certfile: Path
    keyfile: Path


class ApiConfig(Group):
    """The API, its health and its metrics.

    Attributes:
        host: the address to listen at; the default is for this machine alone.
        port: 0 takes a free one.
        metrics: who may read `/metrics`: operators with a token, or all that reach the port.
        management_account: whose keys see how the service stands; those of every account if not given.
        replicas: on a cluster.
    """

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    tls: TlsConfig | None = None
    metrics: Literal["token", "open"] = "token"
    management_account: Account | None = None
    replicas: Bounds = Bounds()


class SpoolLimits(Group):
    """How much of what is sent to `/v1/ingest` may wait; see `guardray.connectors.spool`."""

    max_body_bytes: PositiveInt = 64 << 20
    max_text_bytes: PositiveInt = 1 << 30
    max_bytes: PositiveInt = 4 << 30
    max_objects: PositiveInt = 10_000


class HealthCheckConfig(Group):
    """How soon Ray takes a node for dead: after `failures` times `period`. Ray's own values take 17 seconds.

    With these it was 3.8 seconds from the kill of a node until its actors answered elsewhere.
    """

    period: Interval = timedelta(milliseconds=500)
    timeout: Interval = timedelta(milliseconds=500)
    failures: PositiveInt = 3


class PoolConfig(Bounds):
    """Replicas that score rows with models. There are none before the first model is in force.

    Attributes:
        cpus: cores that each asks the cluster for. 0 lets them work in the pauses of others, as one machine wants it;
            with 1 an autoscaler brings up nodes for them.
    """

    max: PositiveInt = 4
    cpus: Annotated[float, Field(ge=0)] = 0.0


class ModelsConfig(Group):
    """Models of what is usual.

    Attributes:
        pool: what scores.
        training: whether the service keeps what models learn from, and trains them by itself.
        train_every: event time between two trainings, where nothing has changed.
        by_hand: whether a person promotes what was trained: `guardray models promote`. So it is unless asked for
            otherwise, since models find little more than rules so far, and tell of more that is harmless.
        budget: findings that may be wrong, of one account and week.
        keep_days: for how long rows are kept to learn from.
    """

    pool: PoolConfig = PoolConfig()
    training: bool = True
    train_every: Interval = timedelta(days=7)
    by_hand: bool = True
    budget: Annotated[float, Field(gt=0)] = 1.0
    keep_days: Annotated[int, Field(ge=14)] = 90


class TracesConfig(Group):
    """OpenTelemetry traces of objects, from when each was noticed to when its findings could be seen.

    Attributes:
        endpoint: where OTLP over HTTP is taken, such as `http://127.0.0.1:4318/v1/traces`; without it there are none.
            Headers come from the variable OTEL_EXPORTER_OTLP_HEADERS, since they may hold a secret.
        share: of the objects that are traced.
    """

    endpoint: Annotated[str, Field(pattern=r"^https?://")] | None = None
    share: Annotated[float, Field(ge=0, le=1)] = 0.1


class RayConfig(Group):
    """The cluster.

    Attributes:
        address: `auto` or HOST:PORT of one that runs; without it the service starts its own on this machine.
        gcs_storage: where the head keeps what it knows. With `rocksdb` the cluster outlives the head's death.
        haproxy: Serve's fast proxy, some seven times the requests of the default one.
        start_timeout: how long actors are waited for, which may need a new node.
    """

    address: Annotated[str, Field(min_length=1)] | None = None
    gcs_storage: Literal["rocksdb", "memory"] = "rocksdb"
    haproxy: bool = True
    health_check: HealthCheckConfig = HealthCheckConfig()
    start_timeout: Interval = timedelta(minutes=10)
