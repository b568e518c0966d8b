"""How far event time has come where input has no end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from guardray.checkpoints.epoch import EpochInput
from guardray.dataflow.event_time import BEGINNING_OF_TIME, microseconds

_Stream = tuple[str, str | None, str | None]
"""A source, an account and a Region: what is delivered in the order of its dates."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long the watermark waits.

    Attributes:
        lateness: how much earlier than its object's key time an event may be and still count as on time.
        disorder: how much later an object may come than one that was delivered after it.
        idle: how long nothing comes of an account and Region before the others go on without it.
    """

    lateness: timedelta = timedelta(hours=1)
    disorder: timedelta = timedelta(minutes=15)
    idle: timedelta = timedelta(minutes=30)


class LiveWatermark:
    """The time before which no event on time is waited for. It never goes back.

    Each account and Region of a source is a stream of its own, and the slowest of them holds the watermark, until
    nothing has come of it for `idle`. Where none holds it, it follows the time of day. Objects that tell no date count
    as delivered when they came. An event that comes later than all that is counted all the same, in windows and
    periods of its own.
    """

    def __init__(self, patience: Patience, value: int = BEGINNING_OF_TIME) -> None:
        self._patience = patience
        self._streams: dict[_Stream, tuple[datetime, datetime]] = {}
        """The newest key time of each, and when something came last."""
        self._value = value

    def on_done(self, inputs: Iterable[EpochInput], now: datetime) -> None:
        """These are read, and merged."""
        for one in inputs:
            stream = (one.source, one.object.account_id, one.object.region)
            reached, _ = self._streams.get(stream, (one.object.key_time or now, now))
            self._streams[stream] = max(reached, one.object.key_time or now), now

    def value(self, now: datetime) -> int:
        """Microseconds since 1970."""
        patience = self._patience
        self._streams = {
            stream: (reached, came) for stream, (reached, came) in self._streams.items() if now - came < patience.idle
        }
        slowest = min((reached for reached, _ in self._streams.values()), default=now - patience.idle)
        reached = microseconds(min(slowest, now) - patience.lateness - patience.disorder)
        self._value = max(self._value, reached)
        return self._value

    def advance_to(self, value: int) -> None:
        """It has come so far already, as the log of epochs tells."""
        self._value = max(self._value, value)
