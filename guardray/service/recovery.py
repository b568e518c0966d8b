"""State as of the last committed epoch, whatever died: the newest sound checkpoint, and the epochs since, once more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count

from guardray.checkpoints.checkpoints import Checkpoints
from guardray.checkpoints.epoch import Epoch
from guardray.checkpoints.manifest import Manifest
from guardray.checkpoints.parts import read_part
from guardray.connectors.source import Clock
from guardray.dataflow.event_time import BEGINNING_OF_TIME, microseconds
from guardray.dataflow.scan import ScanSettings
from guardray.dataflow.worker import IngestReport
from guardray.errors import (
    CrewLostError,
    DamagedStateError,
    EpochsGoneError,
    FencedError,
    RefusedStateError,
    SnapshotError,
    StateError,
    StoreError,
)
from guardray.service.board import Board
from guardray.service.crew import Crew, Kept
from guardray.service.listener import Listener
from guardray.service.pinned_lists import PinnedLists
from guardray.service.progress import Progress, failures_of
from guardray.service.tries import Tries
from guardray.service.watermark import LiveWatermark, Patience
from guardray.sources.objects import InputObject
from guardray.store.epochs import EpochLog

BOARD_PART = "coordinator"

_BEGIN_ANEW = "or begin anew with `guardray state reset`, which keeps findings and forgets what is known of the past"


class Recovery:
    """Of one coordinator.

    Args:
        crew: is started anew.
        checkpoints: to go on from.
        log: of the epochs since.
        lists: that epochs were looked at with.
        remembered: how long a copy of an object is known for one.
        tries: what does not work is tried again.
    """

    def __init__(
        self,
        settings: ScanSettings,
        crew: Crew,
        checkpoints: Checkpoints,
        log: EpochLog,
        lists: PinnedLists,
        *,
        patience: Patience,
        remembered: timedelta,
        listener: Listener,
        clock: Clock,
        tries: Tries,
    ) -> None:
        self._settings, self._crew, self._checkpoints, self._log, self._lists = settings, crew, checkpoints, log, lists
        self._patience, self._remembered, self._listener = patience, remembered, listener
        self._clock, self._tries = clock, tries

    def run(self) -> Progress:
        """Go on as soon as that works.

        Raises:
            RefusedStateError: there is state, and this program can never go on from it.
            FencedError: another process has become the one writer since.
            StoppedError: the service was told to stop.
        """
        attempt = 0
        while True:
            try:
                return self.once()
            except (FencedError, RefusedStateError):
                raise
            except (CrewLostError, StateError, StoreError) as error:
                self._listener.on_problem(str(error))
                self._tries.pause(attempt)
                attempt += 1

    def once(self) -> Progress:
        """The same, once.

        Raises:
            CrewLostError: a worker or a shard was lost meanwhile.
            StateError: files cannot be read for the moment; and as `run`.
            StoreError: the store refuses for the moment.
        """
        progress = self._restored()
        try:
            epochs = self._log.after(progress.epoch)
        except EpochsGoneError as error:
            raise RefusedStateError(self._checkpoints.url, f"{error}: put the database back, {_BEGIN_ANEW}") from error
        for done, logged in enumerate(epochs):
            self._listener.on_replay(done, len(epochs))
            self._tries.check()
            self._replay(progress, Epoch.of(logged.content), logged.committed_at)
        progress.board.forget_told()
        return progress

    def _restored(self) -> Progress:
        """Crew and board as a checkpoint has them; empty where there is none."""
        while True:
            restored = self._checkpoints.restore()
            for damage in restored.damaged:
                self._listener.on_problem(str(damage))
            manifest = restored.manifest
            try:
                return self._begun() if manifest is None else self._going_on(manifest)
            except DamagedStateError as damage:
                if manifest is None:
                    raise
                self._checkpoints.reject(manifest.number, damage)
            except (SnapshotError, ValueError) as error:
                if manifest is None:
                    raise
                raise RefusedStateError(self._checkpoints.url, _unfit(manifest, error)) from error

    def _begun(self) -> Progress:
        self._crew.start(None)
        now = self._clock()
        watermark = LiveWatermark(self._patience, now)
        return Progress(0, watermark, Board(self._settings.assets), now, BEGINNING_OF_TIME)

    def _going_on(self, manifest: Manifest) -> Progress:
        now, url = self._clock(), self._checkpoints.url
        self._crew.start(Kept(url, manifest))
        types = frozenset(detector.finding_type for detector in self._settings.detectors)
        board = Board.restore(read_part(url, manifest, BOARD_PART), types)
        reached = manifest.content["watermark"]
        watermark = LiveWatermark(self._patience, now, reached, manifest.content.get("streams", ()))
        return Progress(manifest.epoch, watermark, board, now, reached)

    def _replay(self, progress: Progress, epoch: Epoch, committed_at: datetime) -> None:
        """Process an epoch again that is committed: for the state alone."""
        self._lists.of(epoch.indicators)  # tells where they are kept no more
        reports = self._read_again([one.object for one in epoch.inputs], microseconds(committed_at), epoch.indicators)
        progress.merge(self._crew, reports, epoch, microseconds(committed_at - self._remembered))
        progress.board.show(epoch.watermark_after, [])
        progress.watermark.on_done(epoch.inputs, committed_at)
        progress.watermark.advance_to(epoch.watermark_after)
        progress.on_epoch(epoch)
        if epoch.watermark_after > epoch.watermark_before:  # what is kept twice is the same
            for problem in self._crew.keep_features():
                self._listener.on_problem(problem)

    def _read_again(self, objects: Sequence[InputObject], at: int, lists: str) -> list[IngestReport]:
        """Reads objects that were read before, for as long as it takes: their state must not lack any."""
        reports: list[IngestReport] = []
        for attempt in count():
            latest = self._crew.process(objects, at, lists)
            if torn := [url for report in latest for url in report.torn]:
                raise CrewLostError(f"{torn[0]}: could be read in part only, so that all begins anew")
            reports += latest
            failures = failures_of(latest)
            objects = [obj for obj in objects if obj.url in failures]
            if not objects:
                return reports
            self._listener.on_problem(f"{objects[0].url}: cannot be read again for the moment")
            self._tries.pause(attempt)
        return reports


def _unfit(manifest: Manifest, error: Exception) -> str:
    return (
        f"checkpoint {manifest.number} is not what this program keeps ({error}): go on with guardray"
        f" {manifest.guardray}, which wrote it, {_BEGIN_ANEW}"
    )
