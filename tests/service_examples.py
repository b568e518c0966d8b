"""A service that runs and has all that a status can tell of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from guardray.service.status import (
    CheckpointStatus,
    CountStatus,
    EpochStatus,
    IngestStatus,
    KnownProblem,
    LatencyStatus,
    Phase,
    PoolStatus,
    PublisherStatus,
    ServiceStatus,
    ShardStatus,
    SourceStatus,
)

TOLD_AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

RUNNING = ServiceStatus(
    phase=Phase.RUNNING,
    told_at=TOLD_AT,
    since=TOLD_AT - timedelta(days=2, hours=3),
    fence=7,
    version="0.5.0",
    epoch=EpochStatus(number=4_211, committed_at=TOLD_AT - timedelta(seconds=3)),
    checkpoint=CheckpointStatus(
        number=96, epoch=4_200, at=TOLD_AT - timedelta(seconds=41), bytes=5_242_880, seconds=1.25
    ),
    watermark=TOLD_AT - timedelta(minutes=75),
    pending=12,
    sources=(
        SourceStatus(name="sqs://sqs.eu-west-1.amazonaws.com/111122223333/logs", backlog=31, oldest_s=4.5, problems=2),
        SourceStatus(name='/var/log/"aws"\\trail', backlog=0),
    ),
    shards=(
        ShardStatus(index=0, rows=120_000, bytes=21_000_000, resident=400_000_000),
        ShardStatus(index=1, rows=119_000),
    ),
    ingest=IngestStatus(workers=4, busy=3),
    pools=(PoolStatus(name="behaviour", replicas=1, wanted=2, waiting=5),),
    publishers=(PublisherStatus(destination="soc", due=3, dead=1, last_sent=TOLD_AT - timedelta(seconds=20)),),
    counts=CountStatus(
        rows={"cloudtrail": 1_000_000, "vpc-flow": 2_500_000},
        objects=5_000,
        bytes=900_000_000,
        set_aside=17,
        late=4,
        duplicates=250,
        findings_created=42,
        findings_updated=99,
        evicted=6,
        restarts=1,
    ),
    latency=LatencyStatus(p50_s=1.5, p95_s=4.25, objects=500),
    problems=(KnownProblem(text="s3://logs/AWSLogs: access is denied", count=9, since=TOLD_AT - timedelta(hours=1)),),
)

STARTING = ServiceStatus(phase=Phase.STARTING, told_at=TOLD_AT, since=TOLD_AT, fence=1)


def stopped(status: ServiceStatus = RUNNING) -> ServiceStatus:
    """The last that a service says."""
    return replace(status, phase=Phase.STOPPED)
