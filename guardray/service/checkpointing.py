"""Writing checkpoints while a service runs: when one is due, what is in it, and what may be forgotten then."""

from __future__ import annotations

from datetime import datetime, timedelta

from guardray.checkpoints.checkpoints import Checkpoints
from guardray.checkpoints.parts import write_part
from guardray.connectors.source import Clock
from guardray.errors import FencedError, StateError, StoreError
from guardray.service.board import cut
from guardray.service.crew import Crew
from guardray.service.inbox import Inbox
from guardray.service.listener import Listener
from guardray.service.pinned_lists import PinnedLists
from guardray.service.progress import Progress
from guardray.service.recovery import BOARD_PART
from guardray.store.checkpoint_register import RegisteredCheckpoint


class Checkpointing:
    """Of one coordinator.

    Args:
        inbox: is told of what is safe.
        lists: are told of epochs that are never processed again.
        every: time between checkpoints.
    """

    def __init__(
        self,
        crew: Crew,
        checkpoints: Checkpoints,
        inbox: Inbox,
        lists: PinnedLists,
        *,
        every: timedelta,
        listener: Listener,
        clock: Clock,
    ) -> None:
        self._crew, self._checkpoints, self._inbox, self._lists = crew, checkpoints, inbox, lists
        self._every, self._listener, self._clock = every, listener, clock

    def is_due(self, progress: Progress) -> bool:
        """Whether it is time for one; also where the clock was put back."""
        return not timedelta() <= self._clock() - progress.checkpoint_at < self._every

    def write(self, progress: Progress) -> bool:
        """See `Coordinator.checkpoint`. Raises CrewLostError where a shard is lost meanwhile."""
        now = self._clock()
        progress.checkpoint_at = now
        try:
            registered = self._written(progress, now)
            self._listener.on_checkpoint(registered, self._clock() - now)
        except FencedError:
            raise
        except (StateError, StoreError) as error:
            self._listener.on_problem(str(error))
            return False
        self._forget()
        return True

    def _written(self, progress: Progress, now: datetime) -> RegisteredCheckpoint:
        draft = self._checkpoints.begin()
        progress.board.compact(progress.reached)
        try:
            parts = [*self._crew.write(draft), write_part(draft, BOARD_PART, progress.board.export(), cut)]
            return self._checkpoints.finish(
                draft,
                parts,
                epoch=progress.epoch,
                shards=len(parts) - 1,
                content={"watermark": progress.reached, "streams": progress.watermark.export()},
                now=now,
            )
        except FencedError:
            raise
        except (StateError, StoreError):
            self._checkpoints.abandon(draft)
            raise

    def _forget(self) -> None:
        """What two checkpoints hold, its source may forget; what no checkpoint needs is deleted."""
        try:
            self._inbox.acknowledge(self._checkpoints.safe_epoch())
            self._lists.forget(self._checkpoints.clean().until)
        except FencedError:
            raise
        except (StateError, StoreError) as error:
            self._listener.on_problem(str(error))
