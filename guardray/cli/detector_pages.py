"""The finding types as tables and pages for people."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from textwrap import shorten

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from guardray.cli.columns import ColumnHelp
from guardray.cli.messages import harmless
from guardray.detectors.costs import measured_costs
from guardray.findings.severity import Severity
from guardray.rulebook.entries import Account, Entry
from guardray.rulebook.facts import LEARNING

WIDTH_WITHOUT_TERMINAL = 160

WIDTH_OF_ALL_COLUMNS = 140
"""The longest names, logs, methods and severities take 120 characters; a reason in fewer than 20 would be a ribbon."""

REASON_SHOWN = 80
"""Characters of the reason why a type is not active: as long as the longest that guardray gives, lists and option."""

_BAND_STYLES = {
    Severity.CRITICAL: "bold magenta",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "bold yellow",
    Severity.LOW: "bold cyan",
}


def markdown_table(listed: Iterable[Entry]) -> str:
    """The finding types as a Markdown table."""
    header = ("Finding type", "Log", "Method", "Severity", "What happened", "Tunables")
    rows = [_markdown_row(header), _markdown_row("---" for _ in header)]
    for entry in listed:
        tunables = ", ".join(f"`{name}` {_number(value)}" for name, value in entry.tunables.items())
        cells = [f"`{entry.type}`", entry.source, entry.method, _severity_text(entry), entry.description, tunables]
        rows.append(_markdown_row(cells))
    return "\n".join(rows)


def _markdown_row(cells: Iterable[str]) -> str:
    escaped = [cell.replace("|", r"\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"


def _number(value: float) -> str:
    return f"{value:,.12g}"


def wide_console() -> Console:
    return Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL)


def entries_table(listed: Sequence[Entry], width: int) -> Group:
    """The finding types, one a row, with as much of each as a terminal of this width has room for."""
    table = _narrow_table(listed) if width < WIDTH_OF_ALL_COLUMNS else _wide_table(listed)
    hint = [Text("In a wider terminal: log, method, and why one is not active.", style="dim")]
    return Group(_summary(listed), table, *(hint if width < WIDTH_OF_ALL_COLUMNS else ()))


def _wide_table(listed: Sequence[Entry]) -> Table:
    longest = max((len(entry.type) for entry in listed), default=0)  # who reads it with a program wants whole names
    columns = (
        Column("Finding type", min_width=longest),
        "Log",
        "Method",
        "Severity",
        Column("Active", overflow="fold"),
    )
    table = Table(*columns, box=SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for entry in listed:
        table.add_row(_type(entry), entry.source, entry.method, _severity(entry), _activity(entry))
    return table


def _narrow_table(listed: Sequence[Entry]) -> Table:
    columns = (Column("Finding type", overflow="fold"), Column("Severity", no_wrap=True), "Active")
    table = Table(*columns, box=SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for entry in listed:
        activity = Text("no", style="yellow") if entry.why_not is not None else _activity(entry)
        table.add_row(_type(entry), _severity(entry), activity)
    return table


def _summary(listed: Sequence[Entry]) -> Text:
    inactive = sum(not entry.active for entry in listed)
    told = f", {inactive} of them inactive" if inactive else ", all active"
    own = sum(entry.file is not None for entry in listed)
    return Text.assemble((f"{len(listed)} finding types", "bold"), told, f", {own} of your own" if own else "")


def _type(entry: Entry) -> Text:
    where, slash, what = entry.type.partition("/")
    return Text.assemble((where + slash, "dim"), (what, "bold"))


def _severity(entry: Entry) -> Text:
    return Text(_severity_text(entry), style=_BAND_STYLES[Severity.of(entry.severity)])


def _severity_text(entry: Entry) -> str:
    ends = dict.fromkeys((entry.severities[0], entry.severities[-1]))
    return " to ".join(f"{Severity.of(number).label} {number:g}" for number in ends)


def _activity(entry: Entry) -> Text:
    if entry.why_not is not None:
        return Text(shorten(harmless(_reason(entry)), REASON_SHOWN, placeholder=" …"), style="yellow")
    return Text("yes", style="green") if entry.mode == "LIVE" else Text("dry run", style="yellow")


def _reason(entry: Entry) -> str:
    """Why it is not active, without the file and the type, which the row and the messages below the table name."""
    return (entry.why_not or "").removeprefix(f"{entry.file}: {entry.type}: ")


def columns_table(columns: Iterable[ColumnHelp]) -> Table:
    """The columns of a log, one a row."""
    table = Table("Column", "Type", Column("What it holds", overflow="fold"), box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_row(Text(column.name, style="bold"), Text(column.type), Text(column.description))
    return table


def account_page(shown: Account) -> Group:
    entry = shown.entry
    told: dict[str, str | Text] = {
        "Log": entry.source,
        "Method": entry.method,
        "Needs": entry.needs or "nothing but the log",
        "Tactic": entry.tactic or "not told by the type",
        "Severity": _severity(entry),
        "Resource role": entry.role,
        "One finding for each": ", ".join(("account", "Region", *entry.entity)),
        "Learns": LEARNING[entry.learning],
        "Remembers": entry.state,
        "Cost": _cost(entry),
        "Mode": entry.mode,
        "Active": Text(harmless(entry.why_not), style="yellow") if entry.why_not else _activity(entry),
        "File": entry.file or "brought by guardray",
    }
    facts = Table.grid(padding=(0, 2))
    for name, value in told.items():
        facts.add_row(Text(name, style="dim"), value)
    parts: list[RenderableType] = [_type(entry), Padding(facts, (1, 0)), Markdown(shown.explanation)]
    if entry.tunables:
        parts.append(_section("Tunables", _tunables(shown)))
    if shown.fires:
        parts.append(_section("It fires when", _bullets(shown.fires, "red")))
    if shown.quiet:
        parts.append(_section("It stays quiet when", _bullets(shown.quiet, "green")))
    return Group(*parts)


def _cost(entry: Entry) -> str:
    """The measured cost, with what it was measured on: on another processor it is another."""
    if entry.ns_per_row is None:
        return "not measured"
    left_out = "decoding and enrichment left out"
    return f"{entry.ns_per_row:,.0f} ns a row, measured alone on one core ({measured_costs().place}), {left_out}"


def _section(title: str, content: Table) -> Padding:
    return Padding(Group(Text(title, style="bold"), content), (1, 0, 0, 0))


def _tunables(shown: Account) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in shown.entry.tunables.items():
        table.add_row(f"  {name}", _number(value), Text(" ".join(shown.reasons.get(name, "").split()), style="dim"))
    return table


def _bullets(names: Iterable[str], style: str) -> Table:
    table = Table.grid(padding=(0, 1))
    for name in names:
        table.add_row(Text("  •", style=style), Text(name))
    return table
