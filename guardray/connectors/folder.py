"""Objects that are put into a folder: whole files, files that are moved there, and files that grow."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from guardray.connectors.blocks import entries_of, in_blocks
from guardray.connectors.files import FileState, ReadFile, ReadFiles, part_to_read, print_of
from guardray.connectors.positions import checked, labelled
from guardray.connectors.problems import Problems
from guardray.connectors.retries import Retries
from guardray.connectors.source import Arrival, Clock, Failure, Lag, Position, Problem, Receipt, utc_now
from guardray.connectors.watching import Changes
from guardray.errors import GuardrayError, SourceError
from guardray.sources.aws_keys import KeyFilter, key_facts
from guardray.sources.objects import InputObject, locate, time_written
from guardray.store.service_position import BLOCKS

KIND = "folder"

_UNFINISHED = re.compile(r"\.(tmp|temp|part|partial|filepart|crdownload|swp)$|~$", re.IGNORECASE)
"""How programs that copy files name those that they have not finished; hidden names are left out anyway."""


@dataclass(frozen=True, kw_only=True)
class FolderConfig:
    """How to watch a folder.

    Args:
        path: the folder; all below is watched too.
        key_filter: files whose paths rule out that they hold wanted events are passed over.
        still: a file is read when nobody has written to it for so long.
        look_interval: how often all files are looked at, where the system tells nothing of changes.
        recheck_interval: how often they are looked at where it does, since it may forget some.
    """

    path: Path
    key_filter: KeyFilter = field(default_factory=KeyFilter)
    still: timedelta = timedelta(seconds=1)
    look_interval: timedelta = timedelta(seconds=10)
    recheck_interval: timedelta = timedelta(minutes=5)


@dataclass
class _Candidate:
    """A file that something has happened to, as it was when it was last seen to change."""

    obj: InputObject
    state: FileState
    since: datetime


@dataclass(frozen=True)
class _Open:
    """A part of a file that was handed out, and what is known of the file once it is done."""

    read: ReadFile
    arrival: Arrival


class FolderSource:
    """The files below a folder; a `ContinuousSource`."""

    def __init__(self, config: FolderConfig, clock: Clock = utc_now) -> None:
        self._config = config
        self._clock = clock
        self._changes: Changes | None = None
        self._looked_at: datetime | None = None
        self._read = ReadFiles(self.name)
        self._candidates: dict[str, _Candidate] = {}
        self._open: dict[Receipt, _Open] = {}
        self._retries = Retries()
        self._problems = Problems()

    @property
    def name(self) -> str:
        return str(self._config.path)

    @property
    def comes_again(self) -> timedelta:
        return timedelta(0)

    def poll(self, limit: int) -> list[Arrival]:
        now = self._clock()
        for obj in self._changed(now):
            self._consider(obj, now)
        arrivals = self._retries.due(limit, now)
        in_work = {listed.read.state.path for listed in self._open.values()}
        for path in sorted(self._candidates.keys() - in_work, key=self._age):
            if len(arrivals) == limit:
                break
            if self._is_still(path, now):
                arrivals += self._taken(self._candidates.pop(path), now)
        return arrivals

    def position(self, done: Iterable[Receipt] = ()) -> Position:
        """How far each file that is still there was read, some hundred bytes for each, in blocks that seldom change.

        Where a file is in it twice, the latter holds.
        """
        more = [listed.read.to_json(self.name) for receipt in done if (listed := self._open.get(receipt))]
        return labelled(KIND, {BLOCKS: [*self._read.texts(), *in_blocks(more)]})

    def restore(self, position: Position) -> None:
        content = checked(position, KIND, self.name)
        files = content["files"] if "files" in content else entries_of(content[BLOCKS])  # before there were blocks
        self._read = ReadFiles(self.name, (ReadFile.from_json(kept, self._config.path) for kept in files))
        self._candidates.clear()
        self._open.clear()
        self._retries.clear()
        self._looked_at = None

    def acknowledge(self, receipts: Iterable[Receipt]) -> None:
        for receipt in receipts:
            listed = self._open.pop(receipt, None)
            if listed is None:
                continue
            self._retries.drop(receipt)
            self._read.add(listed.read)
            # There may be more of it by now, or have been more than one part.
            self._look_at_again(listed.arrival.object)

    def renew(self, receipts: Iterable[Receipt]) -> None:
        """Nobody else is given what this source has handed out, for as long as it is open."""

    def release(self, receipts: Iterable[Receipt], failure: Failure) -> None:
        for receipt in receipts:
            if (listed := self._open.get(receipt)) is not None:
                self._retries.add(listed.arrival, failure, self._clock())
                if failure is Failure.DENIED:
                    self._problems.add(listed.arrival.object.url, "may not be read; it is tried again")

    def lag(self, done: Collection[Receipt] = ()) -> Lag:
        states = [candidate.state for candidate in self._candidates.values()]
        states += [listed.read.state for receipt, listed in self._open.items() if receipt not in done]
        oldest = min((_modified(state) for state in states), default=None)
        age = None if oldest is None else max(self._clock() - oldest, timedelta())
        return Lag(backlog=len(states), oldest=age)

    def problems(self) -> list[Problem]:
        return self._problems.drain()

    def close(self) -> None:
        if self._changes is not None:
            self._changes.close()
            self._changes = None

    def _changed(self, now: datetime) -> Iterator[InputObject]:
        """Files that something may have happened to.

        Raises:
            SourceError: the folder is not there or cannot be listed.
        """
        if self._changes is None:
            if not self._config.path.is_dir():
                raise SourceError(self.name, "no such folder")
            self._changes = Changes(self._config.path)
        changed = self._changes.drain()
        interval = self._config.look_interval if changed is None else self._config.recheck_interval
        if self._looked_at is not None and now - self._looked_at < interval:
            yield from self._located(path for path in changed or () if self._is_wanted(path))
            return
        self._looked_at = now
        found = self._located([self.name])
        yield from found
        self._forget_gone({obj.url for obj in found})

    def _located(self, paths: Iterable[str]) -> list[InputObject]:
        """The files at and below these paths which may hold wanted events."""
        found: list[InputObject] = []
        for path in paths:
            try:
                found += locate([path], self._config.key_filter)
            except GuardrayError as error:  # it went while it was looked at, or may not be looked into
                if path == self.name:
                    raise SourceError(self.name, str(error)) from error
                self._problems.add(path, str(error))
        return found

    def _is_wanted(self, path: str) -> bool:
        """Whether a path that was named by the system is one that would have been found."""
        names = Path(os.path.relpath(path, self.name)).parts
        is_hidden = any(name.startswith(".") for name in names if name != ".")
        facts = key_facts(Path(path).absolute().as_posix())
        return not is_hidden and os.path.lexists(path) and facts.may_match(self._config.key_filter)

    def _consider(self, obj: InputObject, now: datetime) -> None:
        """Make a file a candidate, if there is something new in it."""
        if _UNFINISHED.search(obj.url):
            return
        if obj.refused is not None:
            self._problems.add(obj.url, obj.refused)
            return
        if not _is_utf8(obj.url):
            self._problems.add(obj.url, "its name is not UTF-8, so that it could not be written down that it was read")
            return
        state = _state_of(obj.url)
        if state is None:
            return
        known = self._read.known(state)
        if known is not None and known.end == state.size and state.is_unchanged(known.state):
            if known.state.path != state.path and not os.path.lexists(known.state.path):
                self._read.add(replace(known, state=state))  # it was renamed
            return
        candidate = self._candidates.get(obj.url)
        if candidate is None or not state.is_unchanged(candidate.state):
            self._candidates[obj.url] = _Candidate(obj, state, min(now, _changed_at(obj.url, now)))

    def _look_at_again(self, obj: InputObject) -> None:
        self._consider(replace(obj, start=0, end=None), self._clock())

    def _is_still(self, path: str, now: datetime) -> bool:
        """Whether nobody has written to a candidate for a while; notes when somebody has."""
        candidate = self._candidates[path]
        state = _state_of(path)
        if state is None:
            del self._candidates[path]
            return False
        if not state.is_unchanged(candidate.state) or state.identity != candidate.state.identity:
            candidate.state, candidate.since = state, now
        return now - candidate.since >= self._config.still

    def _taken(self, candidate: _Candidate, now: datetime) -> Iterator[Arrival]:
        """What is new in a file that is still."""
        state = candidate.state
        try:
            part = part_to_read(state, self._read.known(state))
            if part is None:
                return
            end = state.size if part.end is None else part.end
            with Path(state.path).open("rb") as file:
                read = ReadFile(state, end, print_of(file, end))
        except OSError as error:
            self._problems.add(state.path, error.strerror or str(error))
            self._candidates[state.path] = replace(candidate, since=now)
            return
        written = time_written(state.modified_ns / 1e9)  # it may have grown since it was located
        obj = replace(candidate.obj, start=part.start, end=part.end, size=end - part.start, written=written)
        arrival = Arrival(object=obj, receipt=f"{state.inode} {end} {state.path}", seen_at=candidate.since)
        self._open[arrival.receipt] = _Open(read, arrival)
        yield arrival

    def _forget_gone(self, found: set[str]) -> None:
        in_work = {listed.read.state.path for listed in self._open.values()}
        for path in [read.state.path for read in self._read]:
            if path not in found and path not in in_work and not os.path.lexists(path):
                self._read.forget(path)

    def _age(self, path: str) -> tuple[float, str]:
        """Archives that are put there at once are read by the dates of their names."""
        candidate = self._candidates[path]
        key_time = candidate.obj.key_time
        return key_time.timestamp() if key_time else candidate.state.modified_ns / 1e9, path


def _is_utf8(name: str) -> bool:
    return not any("\udc80" <= character <= "\udcff" for character in name)


def _state_of(path: str) -> FileState | None:
    try:
        return FileState.of(path, os.stat(path))  # noqa: PTH116 - once for each file of each look
    except OSError:  # it is gone, or a link to nothing
        return None


def _changed_at(path: str, now: datetime) -> datetime:
    """When a file was last written, renamed or otherwise changed, by its own account."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return now
    return datetime.fromtimestamp(max(status.st_mtime, status.st_ctime), UTC)


def _modified(state: FileState) -> datetime:
    return datetime.fromtimestamp(state.modified_ns / 1e9, UTC)
