"""`guardray detectors`: the finding types that there are detectors for, and what each needs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from guardray.cli.catalogue import Account, Entry, account, entries
from guardray.cli.messages import print_json, say
from guardray.findings.severity import Severity
from guardray.intel.library import load_indicators
from guardray.intel.store import IndicatorStore

WIDTH_WITHOUT_TERMINAL = 160

_BAND_STYLES = {
    Severity.CRITICAL: "bold magenta",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "bold yellow",
    Severity.LOW: "bold cyan",
}


class ListFormat(StrEnum):
    """How the list is printed."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


IntelOption = Annotated[Path | None, typer.Option(help="Threat feeds, in the format of configs/intel.yaml.")]
ThreatListOption = Annotated[list[Path] | None, typer.Option(help="A custom threat list; may be repeated.")]
StateOption = Annotated[Path, typer.Option(help="Folder that fetched feeds and added lists are kept in.")]

app = typer.Typer(help="The finding types, what each needs, and whether it is active.", no_args_is_help=True)


@app.command("list")
def list_detectors(
    format_: Annotated[ListFormat, typer.Option("--format", "-f", help="How to print the list.")] = ListFormat.TABLE,
    intel: IntelOption = None,
    threat_list: ThreatListOption = None,
    state: StateOption = Path("guardray-data"),
) -> None:
    """Lists the finding types, and which are active with the threat lists given."""
    listed = entries(_indicators(intel, threat_list, state))
    if format_ is ListFormat.JSON:
        print_json(listed)
    elif format_ is ListFormat.MARKDOWN:
        typer.echo(markdown_table(listed))
    else:
        _console().print(_table(listed))


@app.command("show")
def show_detector(
    finding_type: Annotated[str, typer.Argument(metavar="TYPE", help="A finding type, as `list` names it.")],
    intel: IntelOption = None,
    threat_list: ThreatListOption = None,
    state: StateOption = Path("guardray-data"),
) -> None:
    """Explains one finding type: what fires, what does not, and the numbers that it can be tuned by."""
    shown = account(finding_type, _indicators(intel, threat_list, state))
    _console().print(_page(shown))


def _indicators(intel: Path | None, threat_list: Sequence[Path] | None, state: Path) -> IndicatorStore:
    """The lists that a scan would have, without fetching any; what is to be told of them goes to stderr."""
    indicators, notices = load_indicators(intel, threat_list or (), (), state, offline=True)
    for notice in notices:
        say(Console(stderr=True), notice, "yellow")
    return indicators


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


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL)


def _table(listed: Sequence[Entry]) -> Group:
    table = Table(
        Column("Finding type", overflow="fold"),
        "Log",
        "Method",
        "Severity",
        Column("Active", overflow="fold"),
        box=SIMPLE_HEAD,
        pad_edge=False,
        header_style="dim",
    )
    for entry in listed:
        table.add_row(_type(entry), entry.source, entry.method, _severity(entry), _activity(entry))
    return Group(_summary(listed), table)


def _summary(listed: Sequence[Entry]) -> Text:
    inactive = sum(not entry.active for entry in listed)
    waiting = f", {inactive} of them wait for a threat list" if inactive else ", all active"
    return Text.assemble((f"{len(listed)} finding types", "bold"), waiting)


def _type(entry: Entry) -> Text:
    where, slash, what = entry.type.partition("/")
    return Text.assemble((where + slash, "dim"), (what, "bold"))


def _severity(entry: Entry) -> Text:
    return Text(_severity_text(entry), style=_BAND_STYLES[Severity.of(entry.severity)])


def _severity_text(entry: Entry) -> str:
    ends = dict.fromkeys((entry.severities[0], entry.severities[-1]))
    return " to ".join(f"{Severity.of(number).label} {number:g}" for number in ends)


def _activity(entry: Entry) -> Text:
    return Text("yes", style="green") if entry.why_not is None else Text(entry.why_not, style="yellow")


def _page(shown: Account) -> Group:
    entry = shown.entry
    facts = Table.grid(padding=(0, 2))
    for name, value in {
        "Log": entry.source,
        "Method": entry.method,
        "Severity": _severity(entry),
        "Resource role": entry.role,
        "One finding for each": ", ".join(("account", "Region", *entry.entity)),
        "Active": _activity(entry),
    }.items():
        facts.add_row(Text(name, style="dim"), value)
    parts: list[RenderableType] = [_type(entry), Padding(facts, (1, 0)), Markdown(shown.explanation)]
    if entry.tunables:
        parts.append(_section("Tunables", _tunables(shown)))
    parts.append(_section("It fires when", _bullets(shown.fires, "red")))
    parts.append(_section("It stays quiet when", _bullets(shown.quiet, "green")))
    return Group(*parts)


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
