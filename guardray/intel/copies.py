"""Copies of remote feeds: the last good content of each, and what came of looking for a newer one."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec
from filelock import FileLock, Timeout

from guardray.errors import FeedError
from guardray.intel.entries import Entries
from guardray.intel.feeds import Feed
from guardray.intel.fetch import fetch
from guardray.intel.fetched import Fetched, Limits, Seen
from guardray.intel.files import digest_of, replace_file

REFRESH = timedelta(days=1)
"""Of feeds that say nothing of it."""

RETRY = timedelta(minutes=15)
"""When a feed that failed is looked for again, where its own interval is longer."""

LEAST_SHARE = 0.1
"""A list that shrinks to less than this share is more likely broken than true."""


class CopyState(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a feed's copy.

    Attributes:
        sha256: of the last good content, as it arrived; None where there was none yet.
        etag, last_modified: what the server said of that content.
        fetched_at: when it arrived.
        checked_at: when the server was last asked, with success or without.
        entries, skipped, skipped_lines: what the content gave when it arrived.
        last_error: why the last attempt failed; None where it did not.
    """

    name: str
    url: str
    sha256: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    fetched_at: datetime | None = None
    checked_at: datetime | None = None
    entries: int = 0
    skipped: int = 0
    skipped_lines: tuple[int, ...] = ()
    last_error: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of looking for a newer copy of a feed.

    Attributes:
        entries: in the copy that is in use now.
        before: in the copy that was in use before.
        reason: why it failed.
    """

    name: str
    status: Literal["updated", "unchanged", "fresh", "failed", "local", "kept"]
    entries: int
    before: int = 0
    reason: str | None = None

    @property
    def has_copy(self) -> bool:
        """Whether anything of the feed is in use."""
        return self.entries > 0


def is_due(feed: Feed, state: CopyState, now: datetime) -> bool:
    """Whether the feed's server is to be asked again."""
    if state.checked_at is None:
        return True
    interval = REFRESH if feed.refresh_s is None else timedelta(seconds=feed.refresh_s)
    if state.last_error is not None:
        interval = min(interval, RETRY)
    return now >= state.checked_at + interval or now < state.checked_at  # the clock was set back


class FeedCopies:
    """The folder `feeds` of a library's folder. A feed has a folder in it by its name and URL."""

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self._folder = folder / "feeds"
        self._limits = limits or Limits()

    def state(self, feed: Feed) -> CopyState:
        """What is known of the copy; where that or the copy itself is lost or damaged, that there is none."""
        nothing = CopyState(name=feed.name, url=feed.url)
        try:
            state = msgspec.json.decode((self._of(feed) / "meta.json").read_bytes(), type=CopyState)
        except (OSError, msgspec.MsgspecError):
            return nothing
        is_lost = state.sha256 is not None and not self._content_path(feed, state.sha256).is_file()
        return nothing if is_lost else state

    def content(self, feed: Feed) -> bytes:
        """The last good content.

        Raises:
            ValueError: there is none, or it is not what it was.
        """
        sha256 = self.state(feed).sha256
        if sha256 is None:
            raise ValueError("there is no copy of it")
        content = self._content_path(feed, sha256).read_bytes()
        if digest_of(content) != sha256:
            self._content_path(feed, sha256).unlink(missing_ok=True)
            raise ValueError("its copy is damaged; the next update replaces it")
        return content

    def update(self, feed: Feed, now: datetime, *, force: bool = False, is_asked_for: bool = False) -> Outcome:
        """Ask the feed's server for a newer copy, where that is due or `is_asked_for`.

        Whatever goes wrong, the last good copy stays, and the reason is kept with it.

        Args:
            force: take a copy that has far fewer entries than the one before.

        Raises:
            OSError: the folder cannot be written.
        """
        folder = self._of(feed)
        folder.mkdir(parents=True, exist_ok=True)
        before = self.state(feed)
        try:
            with FileLock(folder / "lock", timeout=self._limits.total_s + self._limits.connect_s):
                latest = self.state(feed)
                is_wanted = is_asked_for and latest == before  # another process may have been faster
                if not is_wanted and not is_due(feed, latest, now):
                    return Outcome(feed.name, "fresh", latest.entries, latest.entries)
                return self._updated(feed, latest, now, force=force)
        except Timeout:
            reason = "another process has been updating it for too long"
            return Outcome(feed.name, "failed", before.entries, before.entries, reason)

    def _updated(self, feed: Feed, state: CopyState, now: datetime, *, force: bool) -> Outcome:
        asked = msgspec.structs.replace(state, url=feed.url, checked_at=now, last_error=None)
        try:
            fetched = self._fetch(feed, state)
            if fetched is None or digest_of(fetched.content) == state.sha256:
                self._write_state(feed, asked)
                return Outcome(feed.name, "unchanged", state.entries, state.entries)
            entries = feed.parse(fetched.content)
            if not force:
                self._refuse_shrunk(feed, entries, state)
        except (FeedError, ValueError) as error:
            reason = error.reason if isinstance(error, FeedError) else str(error)
            self._write_state(feed, msgspec.structs.replace(asked, last_error=reason))
            return Outcome(feed.name, "failed", state.entries, state.entries, reason)
        self._write(feed, asked, fetched, entries)
        return Outcome(feed.name, "updated", len(entries), state.entries)

    def _fetch(self, feed: Feed, state: CopyState) -> Fetched | None:
        return fetch(
            feed.url,
            seen=Seen(state.etag, state.last_modified) if state.sha256 else None,
            limits=replace(self._limits, max_bytes=feed.max_bytes),
            allow_private_addresses=feed.allow_private_addresses,
        )

    def _refuse_shrunk(self, feed: Feed, entries: Entries, state: CopyState) -> None:
        if len(entries) >= LEAST_SHARE * state.entries:
            return
        # The feed's options may have changed since: what counts is what they make of the old content.
        try:
            before = len(feed.parse(self.content(feed)))
        except ValueError:
            return  # the old content is of no use any more
        if len(entries) < LEAST_SHARE * before:
            raise ValueError(f"has {len(entries):,} entries, and had {before:,} before; --force accepts that")

    def _write(self, feed: Feed, asked: CopyState, fetched: Fetched, entries: Entries) -> None:
        """The content first, under a name of its own: the state names the one that counts."""
        sha256 = digest_of(fetched.content)
        replace_file(self._content_path(feed, sha256), fetched.content)
        state = msgspec.structs.replace(
            asked,
            sha256=sha256,
            etag=fetched.seen.etag,
            last_modified=fetched.seen.last_modified,
            fetched_at=asked.checked_at,
            entries=len(entries),
            skipped=entries.skipped,
            skipped_lines=entries.skipped_lines,
        )
        self._write_state(feed, state)
        for old in self._of(feed).glob("content-*"):
            if old != self._content_path(feed, sha256):
                old.unlink(missing_ok=True)

    def _write_state(self, feed: Feed, state: CopyState) -> None:
        replace_file(self._of(feed) / "meta.json", msgspec.json.format(msgspec.json.encode(state)))

    def _content_path(self, feed: Feed, sha256: str) -> Path:
        return self._of(feed) / f"content-{sha256}"

    def _of(self, feed: Feed) -> Path:
        told_apart = hashlib.sha256(f"{feed.name}\n{feed.url}".encode()).hexdigest()[:12]
        return self._folder / f"{re.sub(r'[^a-z0-9]+', '-', feed.name.lower())[:40].strip('-')}-{told_apart}"
