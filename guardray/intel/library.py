"""All lists that there are to know threats by: feeds, lists of one's own, and those that were added before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec

from guardray.errors import UsageError
from guardray.intel import formats
from guardray.intel.categories import Category
from guardray.intel.compiled import Compiled, ListSource, compiled
from guardray.intel.copies import FeedCopies, Outcome, is_due
from guardray.intel.entries import Entries
from guardray.intel.feeds import Feed, read_feeds
from guardray.intel.files import digest_of
from guardray.intel.formats.options import MAX_BYTES
from guardray.intel.registry import Registry
from guardray.intel.store import IndicatorStore
from guardray.intel.versions import FOLDER, Versions

_AT_ONCE = 8
"""Feeds that are fetched at the same time: nearly all of it is waiting."""

_TOLD_EACH = 3
"""Feeds that are left out and told of one by one; the reason is mostly the same for more."""

NEVER_FETCHED = "it was never fetched"


def load_indicators(
    feeds_file: Path | None,
    threat_lists: Sequence[Path],
    trusted_lists: Sequence[Path],
    data_folder: Path,
    *,
    offline: bool,
) -> tuple[IndicatorStore, list[str]]:
    """Everything that a scan is to know, and what there is to tell of it.

    Remote feeds that are due are fetched first. One that fails is used as it was when it last was good, or else left
    out; a notice says so.

    Args:
        feeds_file: which feeds there are.
        threat_lists, trusted_lists: in any of GuardDuty's formats, which is told from the content.
        data_folder: where copies of feeds, and lists that were added, are kept.
        offline: nothing is fetched, whatever is due.

    Raises:
        UsageError: a local file cannot be read, is malformed or holds nothing usable.
    """
    folder = data_folder / FOLDER
    feeds = read_feeds(feeds_file) if feeds_file else ()
    copies, registry = FeedCopies(folder), Registry(folder)
    notices = [] if offline else _update_due(feeds, copies, folder)
    sources = [*feed_sources(feeds, feeds_file, copies, notices, strict=True), *registry.sources(registry.read())]
    sources += [_own(path, "custom") for path in threat_lists]
    sources += [_own(path, "trusted") for path in trusted_lists]
    result = compiled(sources, Versions(folder))
    if result.not_kept:
        notices.append(f"lists will be read again next time: {result.not_kept}")
    return result.store, [*notices, *remarks(result)]


def remarks(result: Compiled) -> list[str]:
    """Notices of lists that could not be read, and of lists with a range that is too wide to be meant."""
    left_out = [f"{name} is left out: {reason}" for name, reason in result.left_out]
    wide = [f"list {name} has {value}, a large part of the internet" for name, value in result.store.widest().items()]
    return [*left_out, *wide]


def update(
    feeds: Iterable[Feed],
    copies: FeedCopies,
    *,
    force: bool = False,
    is_asked_for: bool = False,
    on_outcome: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """What came of looking for newer copies of remote feeds, several at a time.

    Args:
        force, is_asked_for: see `FeedCopies.update`.
        on_outcome: called for each as soon as it is known, one at a time.

    Raises:
        OSError: the folder cannot be written.
    """
    now = datetime.now(UTC)
    outcomes = {}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        running = {
            pool.submit(copies.update, feed, now, force=force, is_asked_for=is_asked_for): number
            for number, feed in enumerate(feeds)
        }
        for done in as_completed(running):
            outcomes[running[done]] = done.result()
            if on_outcome:
                on_outcome(done.result())
    return [outcomes[number] for number in sorted(outcomes)]


def feed_sources(
    feeds: Iterable[Feed], feeds_file: Path | None, copies: FeedCopies, notices: list[str], *, strict: bool
) -> Iterable[ListSource]:
    """The lists of feeds: local files, and copies of remote ones. Those that cannot be used are told of in `notices`.

    Raises:
        UsageError: a local file cannot be read or holds nothing usable, and `strict` is set; else it is told of too.
    """
    missing: dict[str, str] = {}
    for feed in feeds:
        if feed.is_local:
            path = feed.path(feeds_file or Path())
            try:
                content = read_local(path, feed.max_bytes)
            except UsageError as error:
                if strict:
                    raise
                missing[feed.name] = str(error)
                continue
            sha256 = digest_of(content)
            read = partial(_parsed, path, feed, content) if strict else partial(feed.parse, content)
        else:
            state = copies.state(feed)
            if state.sha256 is None:
                missing[feed.name] = state.last_error or NEVER_FETCHED
                continue
            sha256, read = state.sha256, partial(_parsed_copy, feed, copies)
        how = msgspec.json.encode(_as_read(feed)).decode()
        yield ListSource(
            name=feed.name, category=feed.category, threat_name=feed.threat_name, key=(sha256, how), read=read
        )
    notices.extend(_left_out(missing))


def _left_out(feeds: Mapping[str, str]) -> list[str]:
    """Notices of feeds, each with its reason; one for all where they are many, as on a machine without a network."""
    if len(feeds) <= _TOLD_EACH:
        return [f"feed {name} is left out: {reason}" for name, reason in feeds.items()]
    return [f"{len(feeds)} feeds are left out, for there is no copy ({', '.join(feeds)}); guardray intel list says why"]


def _as_read(feed: Feed) -> Feed:
    """The feed without what says nothing of how its content is read."""
    return msgspec.structs.replace(feed, license=None, refresh_s=None, allow_private_addresses=False)


def read_local(path: Path, max_bytes: int) -> bytes:
    """The content of a file.

    Raises:
        UsageError: it cannot be read, or is larger.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(max_bytes + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(content) > max_bytes:
        raise UsageError(f"{path}: has more than {max_bytes:,} bytes, which are allowed")
    return content


def _update_due(feeds: Iterable[Feed], copies: FeedCopies, folder: Path) -> list[str]:
    now = datetime.now(UTC)
    due = [feed for feed in feeds if not feed.is_local and is_due(feed, copies.state(feed), now)]
    if not due:
        return []
    try:
        outcomes = update(due, copies)
    except OSError as error:
        return [f"{folder} cannot be written, so no feed is updated: {error.strerror or error}"]
    return [_notice(outcome) for outcome in outcomes if outcome.status == "failed" and outcome.has_copy]


def _notice(outcome: Outcome) -> str:
    return f"feed {outcome.name} is used as it was: {outcome.reason}"


def _own(path: Path, category: Category) -> ListSource:
    content = read_local(path, MAX_BYTES)
    return ListSource(
        name=path.stem,
        category=category,
        key=(digest_of(content), path.suffix.lower()),
        read=partial(_parsed_own, path, content),
    )


def _parsed(path: Path, feed: Feed, content: bytes) -> Entries:
    try:
        return feed.parse(content)
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from error


def _parsed_copy(feed: Feed, copies: FeedCopies) -> Entries:
    return feed.parse(copies.content(feed))


def _parsed_own(path: Path, content: bytes) -> Entries:
    try:
        return formats.parse(content, formats.sniff(content, path.name), "any")
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from error
