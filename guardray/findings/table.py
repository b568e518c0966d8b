"""Findings as a table for people: most severe first, laid out for the width that there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from rich.box import ASCII2, SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.table import Column, Table
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

# Widths from which the two ends get columns of their own, the titles fit too, and nothing needs bounds.
_ENDS_FROM = 120
_TITLES_FROM = 150
_WIDE = 190

# What severity, time and count take beside a finding in the narrowest layout, with the space between.
_OTHERS_WIDTH = 37

# The most that an end takes: an instance's id, and an address after its arrow. What is longer is folded.
_END_WIDTHS = {"Resource": 20, "Remote end": 22}


class FindingsTable:
    """A rich renderable of findings. Text from logs is shown as it is, never read as markup or terminal control."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self._findings = most_urgent_first(findings)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._summary()
        if self._findings:
            several = len({finding.account_id for finding in self._findings}) > 1
            yield Text()
            yield self._table(options.max_width, _Cells(ascii_only=options.ascii_only, name_accounts=several))
            yield Text()

    def _summary(self) -> Text:
        if not self._findings:
            return Text("No findings.")
        bands = Counter(Severity.of(finding.severity) for finding in self._findings)
        noun = "finding" if len(self._findings) == 1 else "findings"
        parts = [f"{bands[band]:,} {band.label.lower()}" for band in reversed(Severity) if bands[band]]
        return Text.assemble((f"{len(self._findings):,} {noun}", "bold"), ": ", ", ".join(parts))

    def _table(self, width: int, cells: _Cells) -> Table:
        rows = [_columns(finding, width, cells) for finding in self._findings]
        headers = [_header(name, end_widths=_END_WIDTHS if width < _WIDE else {}) for name in rows[0]]
        table = Table(
            *headers, box=cells.box, pad_edge=False, collapse_padding=True, show_edge=False, header_style="dim"
        )
        for row in rows:
            table.add_row(*row.values())
        return table


class _Cells:
    """The text of each cell, in signs that the terminal can show; with the account where there are several."""

    def __init__(self, *, ascii_only: bool, name_accounts: bool) -> None:
        self._ascii_only = ascii_only
        self._name_accounts = name_accounts
        self.box = ASCII2 if ascii_only else SIMPLE_HEAD
        self._to, self._by, self._until = ("->", "<-", "-") if ascii_only else ("→", "←", "\u2013")

    def badge(self, finding: Finding) -> Text:
        band = Severity.of(finding.severity)
        return Text(f" {band.name:<8} ", style=_BADGES[band])

    def type(self, finding: Finding) -> Text:
        where, slash, what = finding.type.partition("/")
        return Text.assemble((where + slash, "dim"), (what, "bold"))

    def type_in_two_lines(self, finding: Finding) -> Text:
        where, slash, what = finding.type.partition("/")
        return Text.assemble((f"{where}{slash}\n", "dim"), (what, "bold"))

    def resource(self, finding: Finding) -> Text:
        return self._from_logs(resource_name(finding), "cyan")

    def place(self, finding: Finding) -> Text:
        """The Region, after the account where the table is about several."""
        words = [finding.account_id, finding.region] if self._name_accounts else [finding.region]
        return self._from_logs(" ".join(words), "dim")

    def resource_and_place(self, finding: Finding) -> Text:
        return Text("\n").join([self.resource(finding), self.place(finding)])

    def remote(self, finding: Finding) -> Text:
        """The other end, after an arrow that points away from whoever acts."""
        remote = remote_name(finding)
        if remote is None:
            return Text()
        arrow = self._to if finding.resource_role == "ACTOR" else self._by
        return Text.assemble((f"{arrow} ", "dim"), self._from_logs(remote))

    def type_and_ends(self, finding: Finding, width: int) -> Text:
        type_ = self.type(finding) if len(finding.type) <= width else self.type_in_two_lines(finding)
        ends = Text(" ").join([self.resource(finding), self.remote(finding)])
        return Text("\n").join([type_, ends, self.place(finding)])

    def title(self, finding: Finding) -> Text:
        return self._from_logs(finding.title, "dim")

    def seen(self, finding: Finding, *, in_one_line: bool) -> Text:
        space = " " if in_one_line else "\n"
        return Text(f"{space}{self._until} ".join(_ends_of_time(finding)))

    def _from_logs(self, text: str, style: str = "") -> Text:
        if self._ascii_only:
            return Text("".join(char if char.isascii() and char.isprintable() else "?" for char in text), style=style)
        return Text(printable(text), style=style)


def printable(text: str) -> str:
    """The text with a sign in place of each character that terminals act upon."""
    return "".join(char if char.isprintable() else "�" for char in text)


def _columns(finding: Finding, width: int, cells: _Cells) -> dict[str, Text]:
    """The cells of one row by header: the fewer, the narrower."""
    severity, count = {"Severity": cells.badge(finding)}, {"Count": Text(f"{finding.count:,}")}
    seen = {"Seen (UTC)": cells.seen(finding, in_one_line=width >= _WIDE)}
    if width < _ENDS_FROM:
        return severity | {"Finding": cells.type_and_ends(finding, width - _OTHERS_WIDTH)} | seen | count
    finding_type = {"Finding type": cells.type_in_two_lines(finding)}
    ends = {"Resource": cells.resource_and_place(finding), "Remote end": cells.remote(finding)}
    title = {"What happened": cells.title(finding)} if width >= _TITLES_FROM else {}
    return severity | finding_type | ends | title | seen | count


def _header(name: str, end_widths: Mapping[str, int]) -> Column:
    is_fixed = name in ("Severity", "Finding type", "Seen (UTC)", "Count")
    justify: JustifyMethod = "right" if name == "Count" else "left"
    return Column(name, justify=justify, no_wrap=is_fixed, overflow="fold", max_width=end_widths.get(name))


def _ends_of_time(finding: Finding) -> Iterator[str]:
    """When it first and last happened: the day, or the whole, only once where they are the same."""
    first, last = finding.event_first_seen, finding.event_last_seen
    yield f"{first:{_MINUTE}}"
    if first.date() != last.date():
        yield f"{last:{_MINUTE}}"
    elif f"{first:%H:%M}" != f"{last:%H:%M}":
        yield f"{last:%H:%M}"
