"""Keeps account of how the service goes on, and says how it stands."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from guardray import __version__
from guardray.connectors.source import Clock, Problem
from guardray.dataflow.event_time import BEGINNING_OF_TIME, END_OF_TIME
from guardray.errors import DetectorError
from guardray.service.listener import Listener, Processed
from guardray.service.status import (
    LATELY,
    CheckpointStatus,
    CountStatus,
    EpochStatus,
    IngestStatus,
    KnownProblem,
    LatencyStatus,
    Phase,
    PoolStatus,
    ServiceStatus,
    ShardStatus,
    SourceStatus,
)
from guardray.sources.limits import Counts
from guardray.sources.set_aside import SetAside
from guardray.store.checkpoint_register import RegisteredCheckpoint

OBJECTS_TIMED = 1_000
"""The latest objects, by whose times the latency is told."""

PROBLEMS_KEPT = 50

LOSSES_KEPT = 100

TOLD_KEPT = 10_000
"""Problems of detectors that are not told again: far more than they tell of at a time."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Account(Listener):
    """The account of one coordinator.

    Args:
        clock: tells the time of day.
        log: is told of each problem, with what it belongs to.
        keep: is given what is set aside.
    """

    def __init__(
        self,
        clock: Clock,
        log: Callable[[str], None] = lambda problem: None,
        keep: Callable[[SetAside], None] = lambda set_aside: None,
    ) -> None:
        self._clock, self._log, self._keep = clock, log, keep
        self._since = clock()
        self._epoch: EpochStatus | None = None
        self._checkpoint: CheckpointStatus | None = None
        self._watermark = BEGINNING_OF_TIME
        self._counts = Counts()
        self._objects = self._bytes = self._given_up = self._duplicates = self._created = self._updated = 0
        self._restarts = 0
        self._rows: Counter[str] = Counter()
        self.replay: tuple[int, int] | None = None
        self._lost_at: deque[datetime] = deque(maxlen=LOSSES_KEPT)
        self._lock = threading.Lock()
        """Of the problems: the heartbeat has some too."""
        self._latest = (0, 0.0)
        self._waits: deque[float] = deque(maxlen=OBJECTS_TIMED)
        self._problems: dict[str, KnownProblem] = {}
        self._told: set[str] = set()
        self.sources: tuple[SourceStatus, ...] = ()
        self.shards: tuple[ShardStatus, ...] = ()
        self.ingest: IngestStatus | None = None
        self.pools: tuple[PoolStatus, ...] = ()
        self.refusal: str | None = None
        self.pending = self.evicted = self.replaced = 0

    @property
    def objects(self) -> int:
        """That were read since this began."""
        return self._objects

    def latest_epoch(self) -> tuple[int, float]:
        """How many objects the newest epoch had, and the seconds of reading them: once, then nothing until the next."""
        latest, self._latest = self._latest, (0, 0.0)
        return latest

    def status(self, phase: Phase, fence: int) -> ServiceStatus:
        """How the service stands now."""
        now = self._clock()
        return ServiceStatus(
            phase=phase,
            told_at=now,
            since=self._since,
            fence=fence,
            version=__version__,
            refusal=self.refusal,
            replay=self.replay if phase is Phase.RESTORING else None,
            lost_lately=sum(now - at <= LATELY for at in self._lost_at.copy()),
            epoch=self._epoch,
            checkpoint=self._checkpoint,
            watermark=_time(self._watermark),
            pending=self.pending,
            sources=self.sources,
            shards=self.shards,
            ingest=self.ingest,
            pools=self.pools,
            counts=CountStatus(
                rows=self._rows_by_log(),
                objects=self._objects,
                bytes=self._bytes,
                set_aside=self._counts.set_aside + self._counts.set_aside_objects + self._given_up,
                late=self._counts.late,
                duplicates=self._duplicates,
                findings_created=self._created,
                findings_updated=self._updated,
                evicted=self.evicted,
                restarts=self._restarts,
                replaced=self.replaced,
            ),
            latency=self._latency(),
            problems=self._known_problems(),
        )

    def _rows_by_log(self) -> dict[str, int]:
        rows = dict(self._rows)
        unknown = self._counts.normalised - sum(rows.values())
        return {**rows, "unknown": unknown} if unknown > 0 else rows

    def on_epoch(self, done: Processed) -> None:
        now = self._clock()
        self._epoch = EpochStatus(number=done.epoch.number, committed_at=now)
        self._watermark = done.epoch.watermark_after
        self._waits.extend((now - arrival.seen_at).total_seconds() for arrival in done.read)
        self._objects += len(done.read)
        self._latest = len(done.read), done.took.total_seconds()
        self._bytes += sum(arrival.object.size or 0 for arrival in done.read)
        self._created += done.commit.created
        self._updated += done.commit.updated
        for report in done.reports:
            self._counts += report.counts
            self._rows.update(dict(report.volumes.select("source", "rows").group_by("source").sum().iter_rows()))
            self._duplicates += report.duplicates
            for set_aside in report.set_aside:
                self._keep_aside(set_aside)
            self.on_detector_problems(report.problems)

    def on_checkpoint(self, checkpoint: RegisteredCheckpoint, took: timedelta) -> None:
        self._checkpoint = CheckpointStatus(
            number=checkpoint.number,
            epoch=checkpoint.epoch,
            at=checkpoint.created_at,
            bytes=checkpoint.bytes,
            seconds=took.total_seconds(),
        )

    def on_replay(self, done: int, of: int) -> None:
        self.replay = done, of

    def on_loss(self) -> None:
        self._restarts += 1
        self._lost_at.append(self._clock())

    def on_set_aside(self, set_aside: SetAside) -> None:
        self._given_up += 1
        self._keep_aside(set_aside)

    def on_problem(self, problem: str) -> None:
        self._note(problem, 1)

    def on_detector_problems(self, problems: Sequence[DetectorError]) -> None:
        for text in map(str, problems):  # they are told of in every epoch
            if text in self._told:
                continue
            if len(self._told) == TOLD_KEPT:
                self._told.clear()
            self._told.add(text)
            self._note(text, 1)

    def on_source_problems(self, problems: Sequence[Problem]) -> None:
        """What sources tell of."""
        for problem in problems:
            self._note(f"{problem.place}: {problem.reason}", problem.count)

    def _keep_aside(self, set_aside: SetAside) -> None:
        try:
            self._keep(set_aside)
        except OSError as error:  # it is counted all the same, and the epoch that it is of is committed
            self._note(f"what is set aside cannot be written down: {error.strerror or error}", 1)

    def _note(self, text: str, count: int) -> None:
        text = text.encode(errors="backslashreplace").decode()  # it may hold a file name that is not UTF-8
        self._log(text)
        with self._lock:
            known = self._problems.pop(text, None)
            since = known.since if known else self._clock()
            self._problems[text] = KnownProblem(text=text, count=count + (known.count if known else 0), since=since)
            while len(self._problems) > PROBLEMS_KEPT:
                self._problems.pop(next(iter(self._problems)))

    def _known_problems(self) -> tuple[KnownProblem, ...]:
        with self._lock:
            return tuple(self._problems.values())

    def _latency(self) -> LatencyStatus | None:
        if not self._waits:
            return None
        p50, p95 = np.percentile(list(self._waits), [50, 95])
        return LatencyStatus(p50_s=float(p50), p95_s=float(p95), objects=len(self._waits))


def _time(watermark: int) -> datetime | None:
    if watermark in (BEGINNING_OF_TIME, END_OF_TIME):
        return None
    return _EPOCH + timedelta(microseconds=watermark)
