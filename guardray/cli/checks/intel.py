"""Threat feeds and lists: whether they can be used, how old they are, and what no list is there for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from guardray.cli.checks.check import Check, fail, ok, warn
from guardray.cli.lists import age_text, entries_text
from guardray.detectors.loader import load_detectors
from guardray.errors import UsageError
from guardray.intel.feeds import read_feeds
from guardray.intel.library import load_indicators
from guardray.intel.overview import ListRow, rows
from guardray.intel.store import IndicatorStore
from guardray.intel.upkeep import Library
from guardray.rulebook.entries import missing_indicators

_TOO_OLD = 3
"""Intervals of a feed that its copy may be old: one that was missed is no trouble yet."""

_NAMED = 3
"""Finding types that are named; the rest is counted."""


def check_intel(feeds_file: Path | None, data_folder: Path, now: datetime | None = None) -> Iterator[Check]:
    """Each feed of a file, each list of the library, and which finding types have nothing to look for."""
    now = now or datetime.now(UTC)
    try:
        library = Library(data_folder)
        feeds = read_feeds(feeds_file) if feeds_file else ()
        shown = list(rows(feeds, feeds_file, library.copies, library.registered().lists))
    except UsageError as error:
        yield fail("Threat lists", str(error), "mend the file")
        return
    yield from (_check_list(row, now) for row in shown)
    try:
        indicators, _ = load_indicators(feeds_file, (), (), data_folder, offline=True)
    except UsageError:
        return  # a list that cannot be read, which was told of above
    if shown:
        yield _check_coverage(indicators)


def _check_list(row: ListRow, now: datetime) -> Check:
    subject = f"{'Feed' if row.what == 'feed' else 'List'} {row.name}"
    age = row.age(now)
    found = entries_text(row.entries) + (f", {age_text(age)} old" if age is not None else "")
    if row.last_error is not None and row.entries == 0:
        return fail(subject, row.last_error, _mending(row))
    if row.last_error is not None:
        return warn(subject, f"{found}; last attempt: {row.last_error}", "see whether its publisher moved it")
    if row.entries == 0:
        return warn(subject, "was never fetched", "guardray intel update --intel FILE")
    if row.refresh_s is not None and age is not None and age.total_seconds() > _TOO_OLD * row.refresh_s:
        return warn(subject, found, "guardray intel update --intel FILE")
    return ok(subject, found)


def _mending(row: ListRow) -> str:
    if row.refresh_s is None:  # a local file
        return "mend the file or its entry in the feeds file, or take it out"
    return "see whether this machine reaches the server (docs/intel.md: without the internet), or mend its entry"


def _check_coverage(indicators: IndicatorStore) -> Check:
    detectors = load_detectors()
    lacking = [one.finding_type for one in detectors if missing_indicators(one, indicators) is not None]
    if not lacking:
        return ok("Lists for finding types", f"all of {len(detectors)} have what they need")
    return warn(
        "Lists for finding types",
        f"{len(lacking)} of {len(detectors)} have no list: {_some(lacking)}",
        "guardray detectors list --intel FILE shows what each needs",
    )


def _some(names: Sequence[str]) -> str:
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
