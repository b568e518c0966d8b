"""What every place that objects keep arriving at offers, and the values that pass between it and its reader.

A reader goes round in five steps. Each may be the last one before a crash, and nothing is lost:

1. `poll` gives arrivals. They are the reader's until it acknowledges or releases them.
2. The reader works on them, and calls `renew` now and then while it does.
3. It asks for `position(done)`: the position once these receipts are done too, whatever else is being worked on.
4. It writes its results and the position down, both or neither: the checkpoint.
5. Only then it calls `acknowledge(done)`, which deletes what has to be deleted.

A crash before step 4 makes the arrivals come again. A crash between 4 and 5 may make them come again as well, as may
the network at any time: delivery is at least once, and equal objects are told by their content where they are read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Protocol

from guardray.sources.objects import InputObject

Receipt = str
"""Names one arrival to the source that gave it; what is in it is the source's own business."""

Position = dict[str, Any]
"""What a checkpoint holds of a source: plain JSON, with the `kind` of source that wrote it."""

Clock = Callable[[], datetime]
"""Tells the time of day, aware and in UTC."""


def utc_now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """An object that has arrived and is to be read.

    Args:
        object: what to read.
        receipt: to acknowledge, renew or release it by.
        seen_at: when the source noticed it.
        attempt: how often it was handed out, this time included, as far as the source knows.
    """

    object: InputObject
    receipt: Receipt
    seen_at: datetime
    attempt: int = 1


@dataclass(frozen=True, kw_only=True)
class Lag:
    """How far behind a source is.

    Args:
        backlog: objects that wait or are being worked on, an estimate.
        oldest: how long ago the oldest of them that is known arrived; None when nothing waits.
    """

    backlog: int = 0
    oldest: timedelta | None = None

    def __add__(self, other: Lag) -> Lag:
        ages = [lag.oldest for lag in (self, other) if lag.oldest is not None]
        return Lag(backlog=self.backlog + other.backlog, oldest=max(ages, default=None))


class Failure(Enum):
    """Why an object could not be read, as far as it decides what becomes of it."""

    MISSING = "it is gone: waiting does not bring it back, so it is told of and done with"
    DENIED = "it may not be read: somebody has to grant that, and until then it comes again, ever more slowly"
    THROTTLED = "the store is busy or out of reach: it comes again soon, which counts against nobody"
    BROKEN = "it was read and is no log: it is set aside where it was read and done with"

    @property
    def comes_again(self) -> bool:
        """Whether to release the arrival; the others are acknowledged like those that were read."""
        return self in (Failure.DENIED, Failure.THROTTLED)


@dataclass(frozen=True)
class Problem:
    """Something that the operator has to know of.

    Args:
        place: a queue, a prefix, a folder or an object.
        reason: for a person to read.
        count: how often since it was last told.
    """

    place: str
    reason: str
    count: int = 1

    def __str__(self) -> str:
        times = f" ({self.count:,} times)" if self.count > 1 else ""
        return f"{self.place}: {self.reason}{times}"


class ContinuousSource(Protocol):
    """A place that objects keep arriving at. One thread at a time may use it."""

    @property
    def name(self) -> str:
        """What the source is called in status and messages: its URL."""

    @property
    def comes_again(self) -> timedelta:
        """Within how long what was handed out comes again, when its reader ends without having acknowledged it."""

    def poll(self, limit: int) -> list[Arrival]:
        """Up to `limit` objects that nobody works on. An empty list means that none is ready now.

        What cannot be listed or received for the moment is told as a problem, and tried again.

        Raises:
            SourceError: the source cannot be used at all, as when it does not exist.
        """

    def position(self, done: Iterable[Receipt] = ()) -> Position:
        """What a checkpoint has to hold in which these receipts are done, besides all that were acknowledged."""

    def restore(self, position: Position) -> None:
        """Go on from a checkpoint. All that was handed out and is not in it comes again.

        Raises:
            SnapshotError: another kind of source, or a newer version, wrote this position.
        """

    def acknowledge(self, receipts: Iterable[Receipt]) -> None:
        """Forget what is done, and delete what has to be. To be called after the checkpoint, never before.

        Receipts that are not known any more are ignored: the object comes again, or was done by somebody else.
        """

    def renew(self, receipts: Iterable[Receipt]) -> None:
        """Say that these are still being worked on. To be called a few times within the source's time-out."""

    def release(self, receipts: Iterable[Receipt], failure: Failure) -> None:
        """Give back what could not be read: it comes again after a while."""

    def lag(self, done: Collection[Receipt] = ()) -> Lag:
        """How far behind the source is, once these receipts are done."""

    def problems(self) -> list[Problem]:
        """What went wrong since the last call, each place and reason once."""

    def close(self) -> None:
        """Let go of connections and files. What was not acknowledged comes again when the source is next opened."""
