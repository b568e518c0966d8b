"""Feeds and lists as lines and tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from rich.box import SIMPLE_HEAD
from rich.table import Column, Table
from rich.text import Text

from guardray.cli.messages import counted, harmless
from guardray.intel.copies import Outcome
from guardray.intel.overview import ListRow
from guardray.intel.registry import OwnList
from guardray.intel.review import Named

OUTCOME_STYLES = {
    "updated": "green",
    "unchanged": "dim",
    "fresh": "dim",
    "local": "dim",
    "kept": "dim",
    "failed": "bold red",
}


def added_line(added: OwnList) -> str:
    """What came of adding a list."""
    what = f"{'trusted' if added.trusted else 'threat'} {added.kind} in format {added.format}"
    skipped = f", {skipped_text(added.skipped, added.skipped_lines)}" if added.skipped else ""
    state = "is in use" if added.active else "is kept, and not in use"
    return f"{added.name} {state}: {what}, {entries_text(added.entries)}{skipped}"


def skipped_text(skipped: int, lines: Sequence[int]) -> str:
    """How many lines were skipped, and which the first few were."""
    which = f" ({'line' if len(lines) == 1 else 'lines'} {', '.join(map(str, lines))}" if lines else ""
    return f"{counted(skipped, 'line')} skipped{which}{', …' if skipped > len(lines) > 0 else ''}{')' if which else ''}"


def outcome_line(outcome: Outcome) -> str:
    """What came of looking for a newer copy of a feed."""
    entries = entries_text(outcome.entries)
    text = {
        "updated": f"{entries}, {outcome.before:,} before",
        "unchanged": entries,
        "fresh": f"{entries}, updated by another process",
        "local": f"{entries}, a local file",
        "kept": f"{entries}, not asked for",
        "failed": f"{outcome.reason}; " + (f"the last good copy stays, {entries}" if outcome.has_copy else "no copy"),
    }[outcome.status]
    return f"{outcome.status:9} {outcome.name}: {text}"


def lists_table(shown: Iterable[ListRow], now: datetime) -> Table:
    """Feeds and lists, one a row."""
    table = Table(
        "Name", "What", "Category", Column("Entries", justify="right"), Column("Skipped", justify="right"), "Age",
        "Active", Column("Licence", overflow="fold"), Column("Last error", overflow="fold"),
        box=SIMPLE_HEAD, pad_edge=False, header_style="dim",
    )  # fmt: skip
    for row in shown:
        scope = "" if row.scope is None else f" for {counted(len(row.scope), 'place')}"
        table.add_row(
            Text(harmless(row.name), style="bold"),
            row.what,
            row.category,
            f"{row.entries:,}",
            f"{row.skipped:,}",
            age_text(row.age(now)),
            ("yes" if row.active else "no") + scope,
            Text(harmless(row.license or "")),
            Text(harmless(row.last_error or ""), style="red"),
        )
    return table


def named_table(named: Iterable[Named]) -> Table:
    """The entries that name a value, one a row."""
    table = Table(
        "List", "Entry", "Category", "Threat", "Confidence", "Expires", "For",
        box=SIMPLE_HEAD, pad_edge=False, header_style="dim",
    )  # fmt: skip
    for one in named:
        table.add_row(
            Text(harmless(one.list_name), style="bold"),
            Text(harmless(one.value)),
            Text(one.category, style="green" if one.category == "trusted" else ""),
            Text(harmless(one.threat_name or "")),
            "" if one.confidence is None else f"{one.confidence}",
            "" if one.expires is None else f"{one.expires:%Y-%m-%d %H:%M}" + (" (expired)" if one.has_expired else ""),
            "all" if one.scope is None else ", ".join(f"{account} in {region}" for account, region in one.scope),
        )
    return table


def entries_text(entries: int) -> str:
    """Such as `1 entry` and `2,000 entries`."""
    return f"{entries:,} {'entry' if entries == 1 else 'entries'}"


def age_text(age: timedelta | None) -> str:
    """Such as `3 h` and `12 d`; empty where there is none."""
    if age is None:
        return ""
    seconds = age.total_seconds()
    if seconds < 3600:
        return f"{seconds // 60:.0f} min"
    return f"{seconds // 3600:.0f} h" if seconds < 48 * 3600 else f"{seconds // 86400:.0f} d"
