"""Where a coordinator stands: all of it can be had again from a checkpoint and the log of epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from guardray.checkpoints.epoch import Epoch
from guardray.connectors.failures import failure_of
from guardray.connectors.source import Failure
from guardray.dataflow.worker import IngestReport
from guardray.service.board import Board
from guardray.service.crew import Crew
from guardray.service.watermark import LiveWatermark


@dataclass
class Progress:
    """After an epoch.

    Attributes:
        epoch: its number; 0 before the first.
        watermark: how far event time has come.
        board: what was seen and is not final.
        checkpoint_at: when a checkpoint was last written, or tried.
        reached: the watermark that the epoch was closed with.
    """

    epoch: int
    watermark: LiveWatermark
    board: Board
    checkpoint_at: datetime
    reached: int

    def merge(self, crew: Crew, reports: Sequence[IngestReport], epoch: Epoch, forget_before: int) -> None:
        """Take in what an epoch's objects hold, and what is due since the watermark has come so far.

        Args:
            forget_before: objects that were read before this time (microseconds) count as new, should they come again.
        """
        for report in reports:
            for assets in report.assets:
                self.board.learn(assets)
            self.board.add(report.sightings)
        self.board.add(crew.advance(epoch.watermark_after, forget_before, epoch.models))

    def on_epoch(self, epoch: Epoch) -> None:
        """It is committed, and its state is here."""
        self.epoch, self.reached = epoch.number, epoch.watermark_after


def failures_of(reports: Sequence[IngestReport]) -> dict[str, Failure]:
    """What could not be read and comes again, by the object's URL. A bad row is none, whatever its text says."""
    found = {one.url: failure_of(one.reason) for report in reports for one in report.set_aside if not one.is_row}
    return {url: failure for url, failure in found.items() if failure.comes_again}
