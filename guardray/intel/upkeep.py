"""Changes to the library, each of which takes effect for all processes at once: updates, and lists that come and go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from filelock import FileLock, Timeout

from guardray.errors import UsageError
from guardray.intel import formats
from guardray.intel.compiled import compiled
from guardray.intel.copies import FeedCopies, Outcome
from guardray.intel.feeds import Feed, read_feeds
from guardray.intel.files import digest_of
from guardray.intel.library import NEVER_FETCHED, feed_sources, read_local, remarks, update
from guardray.intel.registry import MAX_BYTES, ListFormat, OwnList, Registered, Registry, SetKind, parsed
from guardray.intel.versions import FOLDER, Versions
from guardray.types import AccountId, Region

_LOCK_S = 120.0
"""Longer than any store takes to build."""


class Library:
    """The lists in a data folder, for those who change them."""

    def __init__(self, data_folder: Path) -> None:
        self._folder = data_folder / FOLDER
        self.copies = FeedCopies(self._folder)
        self._registry = Registry(self._folder)
        self._versions = Versions(self._folder)

    def registered(self) -> Registered:
        """The lists that were added, and the feeds file of the last update."""
        return self._registry.read()

    def feeds_file(self) -> Path | None:
        """The feeds file of the last update.

        Raises:
            UsageError: it is not there any more.
        """
        return _feeds_file(self.registered())

    def update(
        self,
        feeds_file: Path,
        *,
        force: bool = False,
        offline: bool = False,
        on_outcome: Callable[[Outcome], None] | None = None,
    ) -> tuple[list[Outcome], list[str]]:
        """Asks for all remote feeds of a file, due or not, and puts what came into use; then notices.

        The feeds file is remembered: later changes of lists keep its feeds in use.

        Args:
            force: take copies that have far fewer entries than those before.
            offline: ask nobody; the copies that are there come into use.
            on_outcome: called for each feed as soon as its outcome is known.

        Raises:
            UsageError: the feeds file is wrong.
            OSError: the folder cannot be written.
        """
        feeds = read_feeds(feeds_file)
        here = [
            _local(feed, feeds_file) if feed.is_local else _kept(feed, self.copies)
            for feed in feeds
            if feed.is_local or offline
        ]
        if on_outcome:
            for outcome in here:
                on_outcome(outcome)
        remote = update(
            [feed for feed in feeds if not (feed.is_local or offline)],
            self.copies,
            force=force,
            is_asked_for=True,
            on_outcome=on_outcome,
        )
        by_name = {outcome.name: outcome for outcome in [*here, *remote]}
        outcomes = [by_name[feed.name] for feed in feeds]
        with self._locked():
            registered = msgspec.structs.replace(self.registered(), feeds_file=str(feeds_file.absolute()))
            notices = self._put_into_use(registered)
        return outcomes, notices

    def add(
        self,
        path: Path,
        *,
        name: str,
        format_: ListFormat | None = None,
        kind: SetKind = "entity-set",
        trusted: bool = False,
        scope: Sequence[tuple[AccountId, Region]] | None = None,
        active: bool = True,
    ) -> tuple[OwnList, list[str]]:
        """Reads a list, keeps its content, and puts it into use where it is active; then notices.

        Args:
            name: a list of this name gets another content.
            format_: told from the content if not given.

        Raises:
            UsageError: the file is not usable, or a rule or a limit of lists is broken; nothing has changed then.
            OSError: the folder cannot be written.
        """
        content = read_local(path, MAX_BYTES)
        try:
            known: ListFormat = format_ or formats.sniff(content, path.name)  # type: ignore[assignment]  # one of the six
        except ValueError as error:
            raise UsageError(f"{path}: {error}") from error
        return self.put(
            content,
            source=str(path),
            name=name,
            format_=known,
            kind=kind,
            trusted=trusted,
            scope=scope,
            active=active,
        )

    def put(
        self,
        content: bytes,
        *,
        source: str,
        name: str,
        format_: ListFormat,
        kind: SetKind,
        trusted: bool,
        scope: Sequence[tuple[AccountId, Region]] | None,
        active: bool = True,
        id_: str | None = None,
    ) -> tuple[OwnList, list[str]]:
        """Keeps a list whose content is at hand, and puts it into use where it is active; then notices.

        Args:
            source: where the content is from, for people.
            id_: see `OwnList.id`; a list of this id gets another content.

        Raises:
            UsageError: the content is not usable, or a rule or a limit of lists is broken; nothing has changed then.
            OSError: the folder cannot be written.
        """
        try:
            entries = parsed(content, format_, kind)
        except ValueError as error:
            raise UsageError(f"{source}: {error}") from error
        added = OwnList(
            name=name,
            format=format_,
            kind=kind,
            trusted=trusted,
            scope=None if scope is None else tuple(scope),
            active=active,
            source=source,
            added_at=datetime.now(UTC),
            sha256=digest_of(content),
            entries=len(entries),
            skipped=entries.skipped,
            skipped_lines=entries.skipped_lines,
            id=id_,
        )
        with self._locked():
            registered = self.registered().with_list(added)
            self._registry.keep(content)
            return added, self._put_into_use(registered)

    def change(self, key: str, **values: Any) -> list[str]:
        """Gives a list another name or scope, with the content that it has; gives notices.

        Raises:
            UsageError: there is none that is known by this, or a rule or a limit of lists is broken.
            OSError: the folder cannot be written.
        """
        with self._locked():
            registered = self.registered()
            rest = registered.without_list(key)
            (changed,) = (one for one in registered.lists if one.key == key)
            return self._put_into_use(rest.with_list(msgspec.structs.replace(changed, **values)))

    def remove(self, key: str) -> list[str]:
        """Takes a list out of use and forgets it; gives notices.

        Raises:
            UsageError: there is none that is known by this name or id.
            OSError: the folder cannot be written.
        """
        with self._locked():
            return self._put_into_use(self.registered().without_list(key))

    def _put_into_use(self, registered: Registered) -> list[str]:
        """Builds the store first: where that fails, everything is as it was."""
        feeds_file = _feeds_file(registered)
        feeds = read_feeds(feeds_file) if feeds_file else ()
        notices: list[str] = []
        sources = [
            *feed_sources(feeds, feeds_file, self.copies, notices, strict=False),
            *self._registry.sources(registered),
        ]
        result = compiled(sources, self._versions, least=0)
        if result.not_kept:
            raise UsageError(f"the library cannot be written: {result.not_kept}")
        self._registry.write(registered)
        self._versions.activate(result.digest)
        return [*notices, *remarks(result)]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self._folder / "lock", timeout=_LOCK_S):
                yield
        except Timeout:
            raise UsageError(f"{self._folder}: another process has been changing it for too long") from None


def _feeds_file(registered: Registered) -> Path | None:
    if registered.feeds_file is None:
        return None
    path = Path(registered.feeds_file)
    if not path.exists():
        anew = "tell where it is now: guardray intel update --intel FILE, with --offline to fetch nothing"
        raise UsageError(f"{path}, the feeds file of the last update, is gone; {anew}")
    return path


def _kept(feed: Feed, copies: FeedCopies) -> Outcome:
    state = copies.state(feed)
    if state.sha256 is None:
        return Outcome(feed.name, "failed", 0, reason=state.last_error or NEVER_FETCHED)
    return Outcome(feed.name, "kept", state.entries, state.entries)


def _local(feed: Feed, feeds_file: Path) -> Outcome:
    path = feed.path(feeds_file)
    try:
        entries = len(feed.parse(read_local(path, feed.max_bytes)))
    except (UsageError, ValueError) as error:
        return Outcome(feed.name, "failed", 0, reason=str(error))
    return Outcome(feed.name, "local", entries, entries)
