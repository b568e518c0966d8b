"""The coordinator: epochs, checkpoints, and going on from them whatever died.

An epoch is some arrivals, read to their end. It is processed, and then committed: its inputs, what was found in it, and
how far the sources were read, in one transaction. So the log of epochs is what counts, and state is only a shorter way
to it: a checkpoint of the shards, and the epochs since, processed once more. Where a worker or a shard is lost, all of
them begin anew from there. An input is acknowledged when two checkpoints hold it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection

from guardray.checkpoints.checkpoints import Checkpoints
from guardray.checkpoints.epoch import Epoch, EpochInput
from guardray.connectors.source import Arrival, Clock, ContinuousSource, Failure, Receipt, utc_now
from guardray.context.enrich import Indicators
from guardray.dataflow.event_time import END_OF_TIME, microseconds
from guardray.dataflow.scan import ScanSettings
from guardray.dataflow.volumes import summed
from guardray.dataflow.worker import IngestReport
from guardray.errors import (
    CrewLostError,
    FencedError,
    RefusedStateError,
    SnapshotError,
    StateError,
    StoreError,
)
from guardray.service.checkpointing import Checkpointing
from guardray.service.crew import Crew, ShardSize
from guardray.service.elasticity import ElasticCrew
from guardray.service.inbox import Inbox
from guardray.service.listener import Listener, Processed
from guardray.service.losses import Losses
from guardray.service.models import Versions
from guardray.service.pace import Pace
from guardray.service.pinned_lists import PinnedLists
from guardray.service.progress import Progress, failures_of
from guardray.service.recovery import Recovery
from guardray.service.reporting import Reporter
from guardray.service.steady_clock import SteadyClock
from guardray.service.tries import Tries
from guardray.service.watermark import Patience
from guardray.sources.set_aside import SetAside
from guardray.store.epochs import EpochCommit
from guardray.store.service import ServiceStore
from guardray.store.service_position import save_position
from guardray.store.usage import add_usage

T = TypeVar("T")


class _LostWhileReadingError(CrewLostError):
    """A worker or a shard is gone, and one of the objects that were being read may be to blame."""


class Coordinator:
    """One service. `start`, then `step` again and again, then `stop`.

    What should work and does not is tried again for as long as it takes, or until `interrupt`, which may be called from
    any thread: then the call under way raises StoppedError, and nothing is left but to `close`.

    Args:
        settings: what to look for.
        lists: those that hold at the time.
        crew: does the work.
        source: where objects keep arriving.
        store: what is committed. Its writer is this coordinator alone.
        checkpoints_url: where state is kept.
        models: tells which are in force; there are none unless told.
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
        models: Callable[[], Versions] = dict,
        clock: Clock = utc_now,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._settings, self._crew, self._source, self._store = settings, crew, source, store
        self._url = checkpoints_url
        self._pace = pace or Pace()
        self._patience = patience or Patience(lateness=settings.limits.lateness)
        self._listener = listener or Listener()
        self._clock = SteadyClock(clock, self._listener.on_problem)
        self._models = models
        self._inbox = Inbox(source)
        self._reporter = Reporter(settings)
        self._lists = PinnedLists(lists, self._listener.on_problem)
        self._tries = Tries(sleep)
        self._losses = Losses()
        self._sizes: list[ShardSize] = []

    def start(self, fence: int) -> None:
        """Go on from the newest checkpoint and the epochs after it, or begin.

        Args:
            fence: of this process as the one writer, from the store's lease.

        Raises:
            RefusedStateError: there is state, and this program cannot go on from it.
            FencedError: another process has become the one writer since.
        """
        self._fence = fence
        checkpoints = Checkpoints(self._url, self._store, fence, self._pace.checkpoints_kept)
        self._checkpointing = Checkpointing(
            self._crew,
            checkpoints,
            self._inbox,
            self._lists,
            every=self._pace.checkpoint_every,
            listener=self._listener,
            clock=self._clock,
        )
        self._recovery = Recovery(
            self._settings,
            self._crew,
            checkpoints,
            self._store.epochs,
            self._lists,
            patience=self._patience,
            remembered=self._pace.remembered,
            listener=self._listener,
            clock=self._clock,
            tries=self._tries,
        )
        self._persist(self._go_on_with_sources)
        self._all_came_at = self._clock() + self._source.comes_again
        self._recover()

    def _go_on_with_sources(self) -> None:
        position = self._store.position()
        self._lists.begin((one.number, Epoch.of(one.content).indicators) for one in self._store.epochs.kept())
        if position is not None:
            try:
                self._source.restore(position)
            except SnapshotError as error:
                raise RefusedStateError(self._url, f"it cannot be told how far sources were read: {error}") from error

    def step(self) -> bool:
        """Process one epoch, where there is something to do. Returns whether there was.

        Raises:
            FencedError: another process has become the one writer since: stop for good.
        """
        self._inbox.fill(self._pace.max_objects)
        arrivals = self._inbox.take(self._losses.most(self._pace.max_objects), self._pace.max_bytes)
        if not arrivals and not self._is_time_for_a_quiet_epoch():
            self._checkpoint_if_due()
            return False
        try:
            self._run(arrivals)
        except CrewLostError as error:
            self._on_loss(arrivals, error)
        else:
            self._losses.on_epoch([arrival.object.url for arrival in arrivals])
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
        return self._checkpointing.write(self._progress)

    def divide(self, crew: ElasticCrew, shards: int) -> None:
        """Move the state to another number of shards, at a checkpoint.

        Where none can be written now, all stays as it is.
        """
        if not self.checkpoint():
            return
        before = crew.shards
        crew.divide(shards)
        try:
            self._go_on(self._recovery.once())
        except FencedError:
            raise
        except (CrewLostError, StateError, StoreError) as error:
            crew.divide(before)
            self._listener.on_problem(str(error))
            self._recover()

    @property
    def pending(self) -> int:
        """Sightings that wait to be final."""
        return len(self._progress.board)

    @property
    def held(self) -> frozenset[Receipt]:
        """Of objects that were read, and which the sources still count as theirs."""
        return self._inbox.held

    def sizes(self) -> list[ShardSize]:
        """How much each shard holds, as it was after the last epoch."""
        return self._sizes

    def interrupt(self) -> None:
        """Try nothing once more that does not work. From any thread."""
        self._tries.stop()

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

    def _checkpoint_if_due(self) -> None:
        if not self._checkpointing.is_due(self._progress):
            return
        self._inbox.renew()
        try:
            self.checkpoint()
        except CrewLostError as error:
            self._on_loss([], error)

    def _is_time_for_a_quiet_epoch(self) -> bool:
        reached = self._event_time(self._clock())
        return reached - self._progress.reached >= self._pace.quiet_epoch // timedelta(microseconds=1)

    # One epoch

    def _run(self, arrivals: Sequence[Arrival], until: int | None = None) -> None:
        """Process and commit an epoch.

        Args:
            until: the watermark to close it with; None: as far as event time has come.
        """
        progress, now = self._progress, self._clock()
        lists = self._lists.use(progress.epoch + 1)
        reports = self._read(arrivals, now, lists)
        is_read = self._ended("read", now)
        failures = failures_of(reports)
        self._inbox.miss([arrival for arrival in arrivals if arrival.object.url in failures], now)
        if torn := {url for report in reports for url in report.torn}:
            self._begin_again(arrivals, failures, torn)
            return
        read = [arrival for arrival in arrivals if arrival.object.url not in failures]
        inputs = tuple(self._input(arrival) for arrival in read)
        self._clock.heard(max((one.object.key_time for one in inputs if one.object.key_time), default=now))
        progress.watermark.on_done(inputs, now)
        epoch = Epoch(
            number=progress.epoch + 1,
            inputs=inputs,
            watermark_before=progress.reached,
            watermark_after=self._event_time(now) if until is None else until,
            indicators=lists,
            models=dict(self._models()),
        )
        progress.merge(self._crew, reports, epoch, microseconds(now - self._pace.remembered))
        is_decided = self._ended("decide", is_read)
        commit = self._commit(epoch, reports, now)
        self._ended("commit", is_decided)
        self._keep_features(epoch)
        for arrival in arrivals:
            if (failure := failures.get(arrival.object.url)) is not None:
                self._inbox.release([arrival.receipt], failure)
        self._inbox.done(epoch.number, [one.receipt for one in inputs])
        took = is_read - now
        self._listener.on_epoch(Processed(epoch=epoch, reports=reports, read=read, commit=commit, took=took))

    def _event_time(self, now: datetime) -> int:
        """How far event time has come."""
        return self._progress.watermark.value(now, self._inbox.earliest(now, self._patience.idle))

    def _ended(self, stage: str, began: datetime) -> datetime:
        """Says that a stage is over, and when that was."""
        ended = self._clock()
        self._listener.on_stage(stage, began, ended)
        return ended

    def _begin_again(self, arrivals: Sequence[Arrival], failures: Mapping[str, Failure], torn: Collection[str]) -> None:
        """Take back what was merged of objects that were read in part: once more they would count twice, or not at all.

        The others are read again at once, and these when their source gives them again.
        """
        for arrival in arrivals:
            if arrival.object.url in torn:
                self._listener.on_problem(f"{arrival.object.url}: could be read in part only: it is read again later")
                self._inbox.release([arrival.receipt], failures.get(arrival.object.url, Failure.THROTTLED))
        self._inbox.put_back(arrival for arrival in arrivals if arrival.object.url not in torn)
        self._recover()

    def _read(self, arrivals: Sequence[Arrival], now: datetime, lists: str) -> list[IngestReport]:
        try:
            return self._crew.process([arrival.object for arrival in arrivals], microseconds(now), lists)
        except CrewLostError as error:
            raise _LostWhileReadingError(str(error)) from error

    def _keep_features(self, epoch: Epoch) -> None:
        """Once the epoch counts: what is kept twice, since it is replayed, is the same."""
        if epoch.watermark_after > epoch.watermark_before:  # else no day has closed
            for problem in self._crew.keep_features():
                self._listener.on_problem(problem)

    def _commit(self, epoch: Epoch, reports: Sequence[IngestReport], now: datetime) -> EpochCommit:
        board = self._progress.board
        shown = board.show(epoch.watermark_after, self._crew.crossing())
        told = self._reporter.tell(shown, board.inventory, self._lists.of(epoch.indicators), now)
        position = self._inbox.position([one.receipt for one in epoch.inputs])
        volumes = summed(report.volumes for report in reports).to_dicts()

        def fold(connection: Connection) -> tuple[int, int]:
            save_position(connection, epoch.number, position)
            add_usage(connection, now.date(), volumes)
            return told.fold(connection)

        commit = self._persist(
            lambda: self._store.epochs.commit(epoch.number, epoch.content(), fence=self._fence, now=now, fold=fold)
        )
        self._progress.on_epoch(epoch)
        self._sizes = self._crew.sizes()
        self._listener.on_detector_problems([*told.problems, *self._crew.problems()])
        return commit

    def _persist(self, write: Callable[[], T]) -> T:
        """Use the store, again and again while it refuses: what was processed is not to be lost."""
        attempt = 0
        while True:
            try:
                return write()
            except FencedError:
                raise
            except StoreError as error:
                self._listener.on_problem(str(error))
                self._inbox.renew()
                self._tries.pause(attempt)
                attempt += 1

    def _input(self, arrival: Arrival) -> EpochInput:
        return EpochInput(source=self._source.name, receipt=arrival.receipt, object=arrival.object)

    # Going on after a loss

    def _on_loss(self, arrivals: Sequence[Arrival], error: CrewLostError) -> None:
        self._listener.on_problem(str(error))
        self._listener.on_loss()
        suspects = arrivals if isinstance(error, _LostWhileReadingError) else ()
        if self._losses.on_loss([arrival.object.url for arrival in suspects]):
            (poison,) = arrivals
            self._listener.on_set_aside(
                SetAside(poison.object.url, None, "reading it ended the worker, again and again")
            )
            self._losses.on_set_aside(poison.object.url)
            self._inbox.done(self._progress.epoch, [poison.receipt])
            arrivals = []
        self._inbox.put_back(arrivals)
        if self._losses.level > 1:
            self._tries.pause(self._losses.level - 2)
        self._recover()

    def _recover(self) -> None:
        self._go_on(self._recovery.run())

    def _go_on(self, progress: Progress) -> None:
        self._progress, now = progress, self._clock()
        progress.watermark.listen(now, max(self._all_came_at - now, timedelta(0)))
