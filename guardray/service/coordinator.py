"""The coordinator: epochs, checkpoints, and going on from them whatever died.

An epoch is some arrivals, read to their end. It is processed, and then committed: its inputs, what was found in it, and
how far the sources were read, in one transaction. So the log of epochs is what counts, and state is only a shorter way
to it: a checkpoint of the shards, and the epochs since, processed once more. Where a worker or a shard is lost, all of
them begin anew from there. An input is acknowledged when two checkpoints hold it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from sqlalchemy import Connection

from guardray.checkpoints.checkpoints import KEPT, Checkpoints
from guardray.checkpoints.epoch import Epoch, EpochInput
from guardray.checkpoints.manifest import Manifest
from guardray.checkpoints.parts import read_part, write_part
from guardray.connectors.failures import failure_of
from guardray.connectors.source import Arrival, Clock, ContinuousSource, Failure, utc_now
from guardray.context.enrich import Indicators
from guardray.dataflow.event_time import BEGINNING_OF_TIME, END_OF_TIME, microseconds
from guardray.dataflow.scan import ScanSettings
from guardray.dataflow.volumes import summed
from guardray.dataflow.worker import IngestReport
from guardray.errors import CrewLostError, DamagedStateError, FencedError, StateError, StoreError
from guardray.service.board import Board
from guardray.service.crew import Crew, Kept, ShardSize
from guardray.service.elasticity import ElasticCrew
from guardray.service.inbox import Inbox
from guardray.service.listener import Listener
from guardray.service.reporting import Reporter
from guardray.service.watermark import LiveWatermark, Patience
from guardray.sources.objects import InputObject
from guardray.sources.set_aside import SetAside
from guardray.store.epochs import EpochCommit
from guardray.store.service import ServiceStore
from guardray.store.service_position import save_position
from guardray.store.usage import add_usage

BOARD_PART = "coordinator"

LOSSES_BORNE = 3
"""How often one object may take a worker with it before it is set aside: a machine that is out of memory loses workers
too, and then the object is not to blame."""

PAUSES_S = (0.2, 1.0, 5.0, 15.0)
"""Between tries of what should work: a database or a store that is being started again is back within a minute."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How much at once, and how often.

    Attributes:
        max_objects: of an epoch.
        max_bytes: of an epoch's objects, as they lie there: some seconds of work.
        checkpoint_every: time between checkpoints: so much is processed once more after a loss.
        checkpoints_kept: how many of them.
        quiet_epoch: without any input, event time goes on in steps of this.
        remembered: how long a copy of an object is known for one.
    """

    max_objects: int = 500
    max_bytes: int = 32 << 20
    checkpoint_every: timedelta = timedelta(seconds=30)
    checkpoints_kept: int = KEPT
    quiet_epoch: timedelta = timedelta(minutes=1)
    remembered: timedelta = timedelta(days=8)


@dataclass
class _Progress:
    """Where the coordinator stands: all of it can be had again from a checkpoint and the log."""

    epoch: int
    watermark: LiveWatermark
    board: Board
    checkpoint_at: datetime
    reached: int
    """The watermark that the newest epoch was closed with."""
    losses: int = 0


class Coordinator:
    """One service. `start`, then `step` again and again, then `stop`.

    Args:
        settings: what to look for.
        lists: those that hold at the time.
        crew: does the work.
        source: where objects keep arriving.
        store: what is committed. Its writer is this coordinator alone.
        checkpoints_url: where state is kept.
    """

    def __init__(
        self,
        settings: ScanSettings,
        lists: Indicators,
        crew: Crew,
        source: ContinuousSource,
        store: ServiceStore,
        checkpoints_url: str,
        *,
        pace: Pace | None = None,
        patience: Patience | None = None,
        listener: Listener | None = None,
        clock: Clock = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings, self._lists, self._crew, self._source, self._store = settings, lists, crew, source, store
        self._url, self._clock, self._sleep = checkpoints_url, clock, sleep
        self._pace = pace or Pace()
        self._patience = patience or Patience(lateness=settings.limits.lateness)
        self._listener = listener or Listener()
        self._inbox = Inbox(source)
        self._reporter = Reporter(settings, lists)
        self._sizes: list[ShardSize] = []

    def start(self, fence: int) -> None:
        """Go on from the newest checkpoint and the epochs after it, or begin.

        Args:
            fence: of this process as the one writer, from the store's lease.

        Raises:
            StateError: there are checkpoints, and none can be restored.
            FencedError: another process has become the one writer since.
        """
        self._fence = fence
        self._checkpoints = Checkpoints(self._url, self._store, fence, self._pace.checkpoints_kept)
        position = self._store.position()
        if position is not None:
            self._source.restore(position)
        self._recover()

    def step(self) -> bool:
        """Process one epoch, where there is something to do. Returns whether there was.

        Raises:
            FencedError: another process has become the one writer since: stop for good.
        """
        self._inbox.fill(self._pace.max_objects)
        arrivals = self._inbox.take(self._most(), self._pace.max_bytes)
        if not arrivals and not self._is_time_for_a_quiet_epoch():
            self._checkpoint_if_due()
            return False
        try:
            self._run(arrivals)
        except CrewLostError as error:
            self._on_loss(arrivals, error)
        else:
            self._progress.losses = 0
            self._checkpoint_if_due()
        return True

    def finish(self) -> None:
        """Close and decide all that is open, as at the end of a scan: nothing more will come."""
        while self.step():
            pass
        self._run([], END_OF_TIME)

    def checkpoint(self) -> bool:
        """Write a checkpoint, and acknowledge what is safe. Returns whether it could be written.

        Raises:
            FencedError: another process has become the one writer since.
        """
        progress, now = self._progress, self._clock()
        try:
            draft = self._checkpoints.begin()
        except FencedError:
            raise
        except (StateError, StoreError) as error:
            return self._failed_checkpoint(error)
        try:
            parts = [*self._crew.write(draft), write_part(draft, BOARD_PART, progress.board.export())]
            registered = self._checkpoints.finish(
                draft,
                parts,
                epoch=progress.epoch,
                shards=len(parts) - 1,
                positions={},
                content={"watermark": progress.reached, "streams": progress.watermark.export()},
                now=now,
            )
        except FencedError:
            raise
        except (StateError, StoreError) as error:
            self._checkpoints.abandon(draft)
            return self._failed_checkpoint(error)
        progress.checkpoint_at = now
        self._listener.on_checkpoint(registered, self._clock() - now)
        try:
            self._inbox.acknowledge(self._checkpoints.safe_epoch())
            self._checkpoints.clean()
        except FencedError:
            raise
        except (StateError, StoreError) as error:
            self._listener.on_problem(str(error))
        return True

    def divide(self, crew: ElasticCrew, shards: int) -> None:
        """Move the state to another number of shards, at a checkpoint.

        Where none can be written now, all stays as it is.
        """
        if not self.checkpoint():
            return
        before = crew.shards
        crew.divide(shards)
        try:
            self._recover()
        except StateError as error:
            crew.divide(before)
            self._listener.on_problem(str(error))
            self._recover()

    @property
    def pending(self) -> int:
        """Sightings that wait to be final."""
        return len(self._progress.board)

    @property
    def held(self) -> int:
        """Objects that were read, and which the sources still count as theirs."""
        return self._inbox.held

    def sizes(self) -> list[ShardSize]:
        """How much each shard holds, as it was after the last epoch."""
        return self._sizes

    def stop(self) -> None:
        """Write a last checkpoint, so that the next start is short, and let go of the crew and the source."""
        try:
            self.checkpoint()
        except CrewLostError as error:
            self._listener.on_problem(str(error))  # the one before and the log are as good, and take longer
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the crew and the source, as they are."""
        self._crew.close()
        self._source.close()

    def _failed_checkpoint(self, error: StateError | StoreError) -> bool:
        self._progress.checkpoint_at = self._clock()
        self._listener.on_problem(str(error))
        return False

    def _checkpoint_if_due(self) -> None:
        since = self._clock() - self._progress.checkpoint_at
        if timedelta() <= since < self._pace.checkpoint_every:  # below zero where the clock was put back
            return
        self._inbox.renew()
        try:
            self.checkpoint()
        except CrewLostError as error:
            self._on_loss([], error)

    def _is_time_for_a_quiet_epoch(self) -> bool:
        reached = self._progress.watermark.value(self._clock())
        return reached - self._progress.reached >= self._pace.quiet_epoch // timedelta(microseconds=1)

    def _most(self) -> int:
        """Objects of the next epoch: fewer where one of them may have taken workers with it."""
        return max(1, self._pace.max_objects >> 3 * self._progress.losses)

    # One epoch

    def _run(self, arrivals: Sequence[Arrival], until: int | None = None) -> None:
        """Process and commit an epoch.

        Args:
            until: the watermark to close it with; None: as far as event time has come.
        """
        progress, now = self._progress, self._clock()
        reports = self._crew.process([arrival.object for arrival in arrivals], microseconds(now))
        is_read = self._ended("read", now)
        failures = _failures(reports)
        read = [arrival for arrival in arrivals if arrival.object.url not in failures]
        inputs = tuple(self._input(arrival) for arrival in read)
        progress.watermark.on_done(inputs, now)
        epoch = Epoch(
            number=progress.epoch + 1,
            inputs=inputs,
            watermark_before=progress.reached,
            watermark_after=progress.watermark.value(now) if until is None else until,
            indicators=self._lists.current().digest("trusted"),
        )
        self._merge(reports, epoch, now)
        is_decided = self._ended("decide", is_read)
        commit = self._commit(epoch, reports, now)
        self._ended("commit", is_decided)
        for arrival in arrivals:
            if (failure := failures.get(arrival.object.url)) is not None:
                self._inbox.release([arrival.receipt], failure)
        self._inbox.done(epoch.number, [one.receipt for one in inputs])
        self._listener.on_epoch(epoch, reports, read, commit, self._clock() - now)

    def _ended(self, stage: str, began: datetime) -> datetime:
        """Says that a stage is over, and when that was."""
        ended = self._clock()
        self._listener.on_stage(stage, began, ended)
        return ended

    def _merge(self, reports: Sequence[IngestReport], epoch: Epoch, now: datetime) -> None:
        board = self._progress.board
        for report in reports:
            for assets in report.assets:
                board.learn(assets)
            board.add(report.sightings)
        forget_before = microseconds(now - self._pace.remembered)
        board.add(self._crew.advance(epoch.watermark_after, forget_before))

    def _commit(self, epoch: Epoch, reports: Sequence[IngestReport], now: datetime) -> EpochCommit:
        board = self._progress.board
        shown = board.show(epoch.watermark_after, self._crew.crossing())
        told = self._reporter.tell(shown, board.inventory, now)
        position = self._inbox.position([one.receipt for one in epoch.inputs])
        volumes = summed(report.volumes for report in reports).to_dicts()

        def fold(connection: Connection) -> tuple[int, int]:
            save_position(connection, epoch.number, position)
            add_usage(connection, now.date(), volumes)
            return told.fold(connection)

        commit = self._persist(
            lambda: self._store.epochs.commit(epoch.number, epoch.content(), fence=self._fence, now=now, fold=fold)
        )
        self._progress.epoch, self._progress.reached = epoch.number, epoch.watermark_after
        self._sizes = self._crew.sizes()
        self._listener.on_detector_problems([*told.problems, *self._crew.problems()])
        return commit

    def _persist(self, write: Callable[[], EpochCommit]) -> EpochCommit:
        """Write to the store, again and again while it refuses: what was processed is not to be lost."""
        attempt = 0
        while True:
            try:
                return write()
            except FencedError:
                raise
            except StoreError as error:
                self._listener.on_problem(str(error))
                self._pause(attempt)
                attempt += 1

    def _pause(self, attempt: int) -> None:
        self._sleep(PAUSES_S[min(attempt, len(PAUSES_S) - 1)])

    def _input(self, arrival: Arrival) -> EpochInput:
        return EpochInput(source=self._source.name, receipt=arrival.receipt, object=arrival.object)

    # Going on after a loss

    def _on_loss(self, arrivals: Sequence[Arrival], error: CrewLostError) -> None:
        losses = self._progress.losses + 1
        self._listener.on_problem(str(error))
        self._listener.on_loss()
        if len(arrivals) == 1 and losses > LOSSES_BORNE:
            (poison,) = arrivals
            self._listener.on_set_aside(
                SetAside(poison.object.url, None, "reading it ended the worker, again and again")
            )
            self._inbox.done(self._progress.epoch, [poison.receipt])
            arrivals, losses = [], 0
        self._inbox.put_back(arrivals)
        self._recover()
        self._progress.losses = losses

    def _recover(self) -> None:
        """State as of the last committed epoch, whatever there is now."""
        for attempt in count():
            try:
                self._restore()
                return
            except CrewLostError as error:
                self._listener.on_problem(str(error))
                self._pause(attempt)

    def _restore(self) -> None:
        manifest = self._restored()
        epoch = 0 if manifest is None else manifest.epoch
        for logged in self._store.epochs.after(epoch):
            self._replay(Epoch.of(logged.content), logged.committed_at)
        self._progress.board.forget_told()
        self._progress.watermark.listen(self._clock())

    def _restored(self) -> Manifest | None:
        """The checkpoint that crew and board now go on from; None where there is none."""
        while True:
            restored = self._checkpoints.restore()
            for damage in restored.damaged:
                self._listener.on_problem(str(damage))
            manifest, now = restored.manifest, self._clock()
            kept = None if manifest is None else Kept(self._url, manifest)
            try:
                self._crew.start(kept)
                tables = {} if manifest is None else read_part(self._url, manifest, BOARD_PART)
            except DamagedStateError as damage:
                if manifest is None:
                    raise
                self._checkpoints.reject(manifest.number, damage)
                continue
            reached = BEGINNING_OF_TIME if manifest is None else manifest.content["watermark"]
            board = Board.restore(tables, self._finding_types()) if tables else Board(self._settings.assets)
            epoch = 0 if manifest is None else manifest.epoch
            streams = () if manifest is None else manifest.content.get("streams", ())
            watermark = LiveWatermark(self._patience, now, reached, streams)
            self._progress = _Progress(epoch, watermark, board, now, reached)
            return manifest

    def _finding_types(self) -> frozenset[str]:
        return frozenset(detector.finding_type for detector in self._settings.detectors)

    def _replay(self, epoch: Epoch, committed_at: datetime) -> None:
        """Process an epoch again that is committed: for the state alone."""
        progress = self._progress
        objects = [one.object for one in epoch.inputs]
        self._merge(self._read_again(objects, microseconds(committed_at)), epoch, committed_at)
        progress.board.show(epoch.watermark_after, [])
        progress.watermark.on_done(epoch.inputs, committed_at)
        progress.watermark.advance_to(epoch.watermark_after)
        progress.epoch, progress.reached = epoch.number, epoch.watermark_after

    def _read_again(self, objects: Sequence[InputObject], at: int) -> list[IngestReport]:
        """Reads objects that were read before, for as long as it takes: their state must not lack any."""
        reports: list[IngestReport] = []
        for attempt in count():
            latest = self._crew.process(objects, at)
            reports += latest
            failures = _failures(latest)
            objects = [obj for obj in objects if obj.url in failures]
            if not objects:
                return reports
            self._listener.on_problem(f"{objects[0].url}: cannot be read again for the moment")
            self._pause(attempt)
        return reports


def _failures(reports: Sequence[IngestReport]) -> dict[str, Failure]:
    """What could not be read and comes again, by the object's URL. A bad row is none, whatever its text says."""
    found = {one.url: failure_of(one.reason) for report in reports for one in report.set_aside if not one.is_row}
    return {url: failure for url, failure in found.items() if failure.comes_again}
