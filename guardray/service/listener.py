"""Who hears how the service goes on: status, metrics and logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from guardray.checkpoints.epoch import Epoch
from guardray.connectors.source import Arrival
from guardray.dataflow.worker import IngestReport
from guardray.errors import DetectorError
from guardray.sources.set_aside import SetAside
from guardray.store.checkpoint_register import RegisteredCheckpoint
from guardray.store.epochs import EpochCommit


@dataclass(frozen=True, kw_only=True)
class Processed:
    """An epoch that is committed.

    Attributes:
        reports: of those who read its objects.
        read: the arrivals that are in it.
        took: from when its objects were taken until they were read.
    """

    epoch: Epoch
    reports: Sequence[IngestReport]
    read: Sequence[Arrival]
    commit: EpochCommit
    took: timedelta


class Listener:
    """Every method is called from the coordinator's own thread, and must be quick. This one ignores all it hears."""

    def on_epoch(self, done: Processed) -> None:
        """An epoch is committed."""

    def on_stage(self, name: str, began: datetime, ended: datetime) -> None:
        """A stage of an epoch is over: `read`, `decide`, `commit`. `on_epoch` follows, unless the crew is lost."""

    def on_checkpoint(self, checkpoint: RegisteredCheckpoint, took: timedelta) -> None:
        """A checkpoint counts."""

    def on_replay(self, done: int, of: int) -> None:
        """Of the epochs that are processed once more, so many are done."""

    def on_loss(self) -> None:
        """Workers or shards were lost, and are made anew."""

    def on_set_aside(self, set_aside: SetAside) -> None:
        """An object is given up. What a reader sets aside comes with `on_epoch`."""

    def on_problem(self, problem: str) -> None:
        """Something that a person should know, and that the service goes on from."""

    def on_detector_problems(self, problems: Sequence[DetectorError]) -> None:
        """Detectors that failed, in some epoch."""


class Listeners(Listener):
    """Several that all hear the same, in their order."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = tuple(listeners)

    def on_epoch(self, done: Processed) -> None:
        for one in self._listeners:
            one.on_epoch(done)

    def on_stage(self, name: str, began: datetime, ended: datetime) -> None:
        for one in self._listeners:
            one.on_stage(name, began, ended)

    def on_checkpoint(self, checkpoint: RegisteredCheckpoint, took: timedelta) -> None:
        for one in self._listeners:
            one.on_checkpoint(checkpoint, took)

    def on_replay(self, done: int, of: int) -> None:
        for one in self._listeners:
            one.on_replay(done, of)

    def on_loss(self) -> None:
        for one in self._listeners:
            one.on_loss()

    def on_set_aside(self, set_aside: SetAside) -> None:
        for one in self._listeners:
            one.on_set_aside(set_aside)

    def on_problem(self, problem: str) -> None:
        for one in self._listeners:
            one.on_problem(problem)

    def on_detector_problems(self, problems: Sequence[DetectorError]) -> None:
        for one in self._listeners:
            one.on_detector_problems(problems)
