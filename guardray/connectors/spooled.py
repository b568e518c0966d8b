"""What lies in a spool, in the order of its arrival; deleted when it is done."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from guardray.connectors.positions import checked, labelled
from guardray.connectors.problems import Problems
from guardray.connectors.retries import Retries
from guardray.connectors.source import Arrival, Clock, Failure, Lag, Position, Problem, Receipt, utc_now
from guardray.connectors.spool import flush_folder, waiting
from guardray.errors import SourceError
from guardray.sources.objects import InputObject, time_written

KIND = "spool"


class SpoolSource:
    """The bodies in a spool; a `ContinuousSource`. A receipt is the name of a file.

    Args:
        path: the spool's folder, made where it is missing.
    """

    def __init__(self, path: Path, clock: Clock = utc_now) -> None:
        self._path = path
        self._clock = clock
        self._open: dict[Receipt, Arrival] = {}
        self._retries = Retries()
        self._problems = Problems()
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SourceError(str(path), error.strerror or str(error)) from error

    @property
    def name(self) -> str:
        return str(self._path)

    @property
    def comes_again(self) -> timedelta:
        return timedelta(0)

    def poll(self, limit: int) -> list[Arrival]:
        now = self._clock()
        arrivals = self._retries.due(limit, now)
        ready = {name: status for name, status in waiting(self._path) if name not in self._open}
        for name in sorted(ready)[: limit - len(arrivals)]:
            status = ready[name]
            obj = InputObject(url=str(self._path / name), size=status.st_size, written=time_written(status.st_mtime))
            self._open[name] = Arrival(object=obj, receipt=name, seen_at=now)
            arrivals.append(self._open[name])
        return arrivals

    def position(self, done: Iterable[Receipt] = ()) -> Position:
        """The files that are done and may still be there: they are deleted then, and not read."""
        return labelled(KIND, {"done": sorted(self._open.keys() & set(done))})

    def restore(self, position: Position) -> None:
        done = checked(position, KIND, self.name)["done"]
        self._open.clear()
        self._retries.clear()
        self._delete(done)

    def acknowledge(self, receipts: Iterable[Receipt]) -> None:
        done = [receipt for receipt in receipts if self._open.pop(receipt, None) is not None]
        for receipt in done:
            self._retries.drop(receipt)
        self._delete(done)

    def renew(self, receipts: Iterable[Receipt]) -> None:
        """Nobody else is given what this source has handed out, for as long as it is open."""

    def release(self, receipts: Iterable[Receipt], failure: Failure) -> None:
        for receipt in receipts:
            if (arrival := self._open.get(receipt)) is not None:
                self._retries.add(arrival, failure, self._clock())

    def lag(self, done: Collection[Receipt] = ()) -> Lag:
        written = [status.st_mtime for name, status in waiting(self._path) if name not in done]
        if not written:
            return Lag()
        age = self._clock() - datetime.fromtimestamp(min(written), UTC)
        return Lag(backlog=len(written), oldest=max(age, timedelta()))

    def problems(self) -> list[Problem]:
        return self._problems.drain()

    def close(self) -> None:
        """Nothing is held open."""

    def _delete(self, names: Iterable[str]) -> None:
        for name in names:
            path = self._path / name
            if path.parent != self._path:  # a position is read from a disk that others may write to
                self._problems.add(name, "is no name of a file in the spool, and is not deleted")
                continue
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                self._problems.add(str(path), f"cannot be deleted: {error.strerror}")
        flush_folder(self._path)
