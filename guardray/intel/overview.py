"""What there is to tell of every feed and list: what it holds, how old it is, what went wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from guardray.errors import UsageError
from guardray.intel.categories import Category
from guardray.intel.copies import REFRESH, CopyState, FeedCopies
from guardray.intel.entries import Entries
from guardray.intel.feeds import Feed
from guardray.intel.library import read_local
from guardray.intel.registry import OwnList
from guardray.types import AccountId, Region


class ListRow(msgspec.Struct, frozen=True, kw_only=True):
    """One feed or list.

    Attributes:
        what: `feed`, or the kind of a list that was added.
        category: of the entries that have none of their own.
        source: a URL or a file.
        entries, skipped, skipped_lines: of the content that is there.
        as_of: when that content was fetched, written or added; None where there is none.
        refresh_s: how old a remote feed may grow, in seconds.
        license: as the feeds file has it.
        last_error: why the last attempt failed; None where it did not.
        active: whether anything of it counts.
        scope: the accounts and Regions that it is for; None: all of them.
    """

    name: str
    what: Literal["feed", "ip-set", "entity-set"]
    category: Category
    source: str
    entries: int
    skipped: int
    skipped_lines: tuple[int, ...]
    as_of: datetime | None
    refresh_s: int | None = None
    license: str | None = None
    last_error: str | None = None
    active: bool
    scope: tuple[tuple[AccountId, Region], ...] | None = None

    def age(self, now: datetime) -> timedelta | None:
        """Of the content; None where there is none."""
        return None if self.as_of is None else max(now - self.as_of, timedelta())


def rows(
    feeds: Iterable[Feed], feeds_file: Path | None, copies: FeedCopies, lists: Iterable[OwnList]
) -> Iterator[ListRow]:
    """Of feeds, then of lists that were added. Local files are read; nothing is fetched."""
    for feed in feeds:
        yield _local(feed, feed.path(feeds_file or Path())) if feed.is_local else _remote(feed, copies)
    for one in lists:
        yield ListRow(
            name=one.name,
            what=one.kind,
            category="trusted" if one.trusted else "custom",
            source=one.source,
            entries=one.entries,
            skipped=one.skipped,
            skipped_lines=one.skipped_lines,
            as_of=one.added_at,
            active=one.active,
            scope=one.scope,
        )


def _remote(feed: Feed, copies: FeedCopies) -> ListRow:
    state = copies.state(feed)
    return ListRow(
        name=feed.name,
        what="feed",
        category=feed.category,
        source=feed.url,
        entries=state.entries,
        skipped=state.skipped,
        skipped_lines=state.skipped_lines,
        as_of=_as_of(state),
        refresh_s=int(REFRESH.total_seconds()) if feed.refresh_s is None else feed.refresh_s,
        license=feed.license,
        last_error=state.last_error,
        active=state.sha256 is not None,
    )


def _as_of(state: CopyState) -> datetime | None:
    if state.sha256 is None or state.last_error is not None:
        return state.fetched_at
    # A server that says that nothing has changed says that the content is still true.
    return state.checked_at


def _local(feed: Feed, path: Path) -> ListRow:
    entries, error = Entries(), None
    try:
        entries = feed.parse(read_local(path, feed.max_bytes))
    except (UsageError, ValueError) as wrong:
        error = str(wrong)
    return ListRow(
        name=feed.name,
        what="feed",
        category=feed.category,
        source=str(path),
        entries=len(entries),
        skipped=entries.skipped,
        skipped_lines=entries.skipped_lines,
        as_of=datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.exists() else None,
        license=feed.license,
        last_error=error,
        active=error is None,
    )
