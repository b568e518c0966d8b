"""How far event time has come where input has no end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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

    Args:
        since: when it began to listen. For `idle` from then nobody counts as silent: what came while nobody listened,
            or lay there before, is only on its way.
        value: how far event time has come, in microseconds.
        streams: what `export` gave.
    """

    def __init__(
        self,
        patience: Patience,
        since: datetime,
        value: int = BEGINNING_OF_TIME,
        streams: Iterable[Sequence[str | None]] = (),
    ) -> None:
        self._patience = patience
        self._since = since
        self._streams: dict[_Stream, tuple[datetime, datetime]] = {
            (str(source), account_id, region): (_time(reached), _time(came))
            for source, account_id, region, reached, came in streams
        }
        """The newest key time of each, and when something came last."""
        self._value = value
        self._comes_again_until = since

    def export(self) -> list[list[str | None]]:
        """How far each stream has come, as plain JSON, for one that goes on from here."""
        return [
            [*stream, reached.isoformat(), came.isoformat()]
            for stream, (reached, came) in sorted(self._streams.items(), key=lambda item: tuple(map(str, item[0])))
        ]

    def listen(self, since: datetime, comes_again: timedelta = timedelta(0)) -> None:
        """From now on arrivals are heard of: see `since`.

        Args:
            comes_again: within so long comes what was handed out before and not read; event time stands until then.
        """
        self._since, self._comes_again_until = since, since + comes_again

    def on_done(self, inputs: Iterable[EpochInput], now: datetime) -> None:
        """These are read, and merged."""
        for one in inputs:
            stream = (one.source, one.object.account_id, one.object.region)
            told = min(one.object.key_time or now, now)  # a date to come would let the stream hold nothing any more
            reached, _ = self._streams.get(stream, (told, now))
            self._streams[stream] = max(reached, told), now

    def value(self, now: datetime, unread: datetime | None = None) -> int:
        """Microseconds since 1970.

        Args:
            unread: the earliest key time of what has come and waits to be read, which holds event time too.
        """
        patience = self._patience
        if now < self._comes_again_until:
            return self._value
        if now - self._since >= patience.idle:
            self._streams = {
                stream: (reached, came)
                for stream, (reached, came) in self._streams.items()
                if now - came < patience.idle
            }
        elif not self._streams:
            return self._value
        slowest = min((reached for reached, _ in self._streams.values()), default=now - patience.idle)
        reached = microseconds(min(slowest, unread or now, now) - patience.lateness - patience.disorder)
        self._value = max(self._value, reached)
        return self._value

    def advance_to(self, value: int) -> None:
        """It has come so far already, as the log of epochs tells."""
        self._value = max(self._value, value)


def _time(text: str | None) -> datetime:
    return datetime.fromisoformat(str(text))
