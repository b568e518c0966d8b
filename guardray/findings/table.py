"""Findings as a table for people: most severe first, laid out for the width that there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from rich.box import ASCII2, SIMPLE_HEAD, Box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from guardray.findings.ends import remote_name, resource_name
from guardray.findings.finding import Finding, most_urgent_first
from guardray.findings.severity import Severity

_BADGES = {
    Severity.CRITICAL: "bold white on dark_magenta",
    Severity.HIGH: "bold white on red3",
    Severity.MEDIUM: "bold black on orange1",
    Severity.LOW: "black on sky_blue2",
}
_MINUTE = "%Y-%m-%d %H:%M"
_TITLES_FROM = 160
_COLUMNS_FROM = 100


class FindingsTable:
    """A rich renderable of findings. Text from logs is shown as it is, never read as markup or terminal control."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self._findings = most_urgent_first(findings)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        signs = _ASCII if options.ascii_only else _UNICODE
        yield self._summary()
        if self._findings:
            yield self._table(_columns(options.max_width, signs), signs)

    def _summary(self) -> Text:
        if not self._findings:
            return Text("No findings.")
        bands = Counter(Severity.of(finding.severity) for finding in self._findings)
        noun = "finding" if len(self._findings) == 1 else "findings"
        parts = [f"{bands[band]:,} {band.label.lower()}" for band in reversed(Severity) if bands[band]]
        return Text.assemble((f"{len(self._findings):,} {noun}", "bold"), ": ", ", ".join(parts))

    def _table(self, columns: list[_Column], signs: _Signs) -> Table:
        table = Table(box=signs.box, pad_edge=False, collapse_padding=True, header_style="dim", expand=False)
        for column in columns:
            table.add_column(column.header, justify=column.justify, overflow="fold", no_wrap=column.no_wrap)
        for finding in self._findings:
            table.add_row(*(column.cell(finding) for column in columns))
        return table


@dataclass(frozen=True)
class _Signs:
    box: Box
    to: str
    by: str
    until: str


@dataclass(frozen=True)
class _Column:
    header: str
    cell: Callable[[Finding], Text]
    justify: Literal["left", "right"] = "left"
    no_wrap: bool = False


_UNICODE = _Signs(SIMPLE_HEAD, to="→", by="←", until="\u2013")
_ASCII = _Signs(ASCII2, to="->", by="<-", until="-")


def _columns(width: int, signs: _Signs) -> list[_Column]:
    severity = _Column("Severity", _badge, no_wrap=True)
    count = _Column("Count", lambda finding: Text(f"{finding.count:,}"), justify="right", no_wrap=True)
    stacked = _Column("Seen (UTC)", lambda finding: _seen(finding, "\n"), justify="right", no_wrap=True)
    if width < _COLUMNS_FROM:
        return [severity, _Column("Finding", lambda finding: _type_and_ends(finding, signs)), stacked, count]
    ends = [_Column("Resource", _resource), _Column("Remote end", lambda finding: _remote(finding, signs))]
    if width < _TITLES_FROM:
        return [severity, _Column("Finding type", _type), *ends, stacked, count]
    seen = _Column("Seen (UTC)", lambda finding: _seen(finding, f" {signs.until} "), no_wrap=True)
    title = _Column("What happened", lambda finding: _printable(finding.title, "dim"))
    return [severity, _Column("Finding type", _type), *ends, title, seen, count]


def _badge(finding: Finding) -> Text:
    band = Severity.of(finding.severity)
    return Text(f" {band.name:<8} ", style=_BADGES[band])


def _type(finding: Finding) -> Text:
    where, slash, what = finding.type.partition("/")
    return Text.assemble((where + slash, "dim"), (what, "bold"))


def _type_and_ends(finding: Finding, signs: _Signs) -> Text:
    return Text("\n").join([_type(finding), Text(" ").join([_resource(finding), _remote(finding, signs)])])


def _resource(finding: Finding) -> Text:
    return _printable(resource_name(finding), "cyan")


def _remote(finding: Finding, signs: _Signs) -> Text:
    """The other end, after an arrow that points away from whoever acts."""
    remote = remote_name(finding)
    if remote is None:
        return Text()
    arrow = signs.to if finding.resource_role == "ACTOR" else signs.by
    return Text.assemble((f"{arrow} ", "dim"), _printable(remote))


def _seen(finding: Finding, separator: str) -> Text:
    """When it first and last happened; the day once, and a time once, where they are the same."""
    first, last = finding.event_first_seen, finding.event_last_seen
    ends = [f"{first:{_MINUTE}}"]
    if first.date() != last.date():
        ends.append(f"{last:{_MINUTE}}")
    elif ends[0] != f"{last:{_MINUTE}}":
        ends.append(f"{last:%H:%M}")
    return Text(separator.join(ends))


def _printable(text: str, style: str = "") -> Text:
    """Text out of a log: characters that could steer a terminal are replaced."""
    return Text("".join(char if char.isprintable() else "�" for char in text), style=style)
