"""Arrivals on their way: what waits to be read, and what is read and waits to be acknowledged."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

from guardray.connectors.source import Arrival, ContinuousSource, Failure, Position, Receipt
from guardray.sources.objects import InputObject


class Inbox:
    """A source, as epochs see it. One thread at a time uses it.

    Args:
        source: hands out the arrivals.
    """

    def __init__(self, source: ContinuousSource) -> None:
        self._source = source
        self._waiting: deque[Arrival] = deque()
        self._taken: dict[Receipt, None] = {}
        self._done: deque[tuple[int, list[Receipt]]] = deque()
        self._missed: dict[Receipt, tuple[Arrival, datetime]] = {}
        """What could not be read yet, and since when."""

    def __len__(self) -> int:
        """Arrivals that wait."""
        return len(self._waiting)

    @property
    def held(self) -> frozenset[Receipt]:
        """Of what was read, and what the source still counts since it is not acknowledged."""
        return frozenset(receipt for _, of_epoch in self._done for receipt in of_epoch)

    def fill(self, limit: int) -> None:
        """Ask the source for more, up to `limit` that wait."""
        if len(self._waiting) < limit:
            polled = self._source.poll(limit - len(self._waiting))
            self._waiting.extend(sorted(polled, key=lambda arrival: _order(arrival.object)))

    def take(self, objects: int, size: int) -> list[Arrival]:
        """The next arrivals, at most so many, and at most so many bytes if it is more than one."""
        taken: list[Arrival] = []
        total = 0
        while self._waiting and len(taken) < objects:
            total += self._waiting[0].object.size or 0
            if taken and total > size:
                break
            taken.append(self._waiting.popleft())
        self._taken = dict.fromkeys(arrival.receipt for arrival in taken)
        return taken

    def put_back(self, arrivals: Iterable[Arrival]) -> None:
        """These are to be read all the same, and first."""
        self._waiting.extendleft(reversed(list(arrivals)))

    def miss(self, arrivals: Iterable[Arrival], now: datetime) -> None:
        """These cannot be read for the moment."""
        for arrival in arrivals:
            self._missed.setdefault(arrival.receipt, (arrival, now))

    def earliest(self, now: datetime, patience: timedelta) -> datetime | None:
        """The earliest key time of what has come and is not read.

        Args:
            patience: what cannot be read for longer is not waited for any more.
        """
        missed = [arrival for arrival, since in self._missed.values() if now - since < patience]
        times = [arrival.object.key_time for arrival in (*self._waiting, *missed)]
        return min((time for time in times if time is not None), default=None)

    def release(self, receipts: Iterable[Receipt], failure: Failure) -> None:
        """Give back to the source what cannot be read for the moment."""
        given = list(receipts)
        for receipt in given:
            self._taken.pop(receipt, None)
        self._source.release(given, failure)

    def position(self, receipts: Iterable[Receipt]) -> Position:
        """Of the source, once these are done as well."""
        return self._source.position([*(one for _, of_epoch in self._done for one in of_epoch), *receipts])

    def done(self, epoch: int, receipts: list[Receipt]) -> None:
        """These were read in an epoch, which is committed."""
        self._done.append((epoch, receipts))
        for receipt in receipts:
            self._missed.pop(receipt, None)

    def acknowledge(self, epoch: int) -> None:
        """What was read up to this epoch is safe: the source may forget it."""
        safe: list[Receipt] = []
        while self._done and self._done[0][0] <= epoch:
            safe += self._done.popleft()[1]
        if safe:
            self._source.acknowledge(safe)

    def renew(self) -> None:
        """Tell the source that all this is still being worked on."""
        held = (*self._taken, *(arrival.receipt for arrival in self._waiting))
        self._source.renew(dict.fromkeys([*held, *(one for _, of_epoch in self._done for one in of_epoch)]))


def _order(obj: InputObject) -> tuple[float, str]:
    return (obj.key_time.timestamp() if obj.key_time else float("-inf"), obj.url)
