"""`guardray intel`: threat feeds and lists, what they say, and their upkeep."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from guardray.cli.lists import OUTCOME_STYLES, added_line, lists_table, named_table, outcome_line, skipped_text
from guardray.cli.messages import harmless, print_json, say
from guardray.cli.outputs import disk_errors
from guardray.errors import UsageError
from guardray.intel.copies import Outcome
from guardray.intel.feeds import read_feeds
from guardray.intel.library import load_indicators
from guardray.intel.overview import rows
from guardray.intel.registry import ListFormat, SetKind, scope_of
from guardray.intel.review import review
from guardray.intel.upkeep import Library

FAILED_FEED_STATUS = 3
WIDTH_WITHOUT_TERMINAL = 200

_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")


class PrintFormat(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"


app = typer.Typer(help="Threat feeds and lists: what they say, and their upkeep.", no_args_is_help=True)

FeedsOption = Annotated[
    Path | None,
    typer.Option(help="Threat feeds, in the format of configs/intel.yaml. Those of the last update if not given."),
]
StateOption = Annotated[Path, typer.Option(help="Folder that lists are kept in.")]
FormatOption = Annotated[PrintFormat, typer.Option("--format", "-f", help="How to print.")]
DATA_FOLDER = Path("guardray-data")


@app.command("list")
def list_lists(
    intel: FeedsOption = None, state: StateOption = DATA_FOLDER, format_: FormatOption = PrintFormat.TABLE
) -> None:
    """Lists feeds and lists: what each holds, how old it is, and what went wrong with it."""
    library = _library(state)
    feeds_file = intel or library.feeds_file()
    feeds = read_feeds(feeds_file) if feeds_file else ()
    shown = list(rows(feeds, feeds_file, library.copies, library.registered().lists))
    if format_ is PrintFormat.JSON:
        print_json(shown)
    else:
        _console().print(lists_table(shown, datetime.now(UTC)))
        for row in shown:
            if row.skipped:
                say(_console(), f"{row.name}: {skipped_text(row.skipped, row.skipped_lines)}", "dim")


@app.command("update")
def update(
    intel: FeedsOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Accept lists that have far fewer entries than before.")
    ] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Fetch nothing; put the copies that are there into use.")
    ] = False,
    state: StateOption = DATA_FOLDER,
    format_: FormatOption = PrintFormat.TABLE,
) -> None:
    """Asks for all remote feeds now, and puts what came into use. Exits with 3 where a feed failed."""
    library = _library(state)
    feeds_file = intel or library.feeds_file()
    if feeds_file is None:
        raise UsageError("which feeds? Give their file: --intel configs/intel.yaml")
    feeds = read_feeds(feeds_file)
    errors = Console(stderr=True)
    bar = Progress(
        TextColumn("[bold]updating"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[name]}"),
        console=errors, transient=True, disable=not errors.is_terminal,
    )  # fmt: skip
    with bar, disk_errors(str(state)):
        task = bar.add_task("update", total=len(feeds), name="")

        def advance(outcome: Outcome) -> None:
            bar.update(task, advance=1, name=escape(harmless(outcome.name)))

        outcomes, notices = library.update(feeds_file, force=force, offline=offline, on_outcome=advance)
    if format_ is PrintFormat.JSON:
        print_json(outcomes)
    else:
        for outcome in outcomes:
            say(_console(), outcome_line(outcome), OUTCOME_STYLES[outcome.status])
    _tell(notices)
    failed = any(outcome.status == "failed" for outcome in outcomes)
    raise typer.Exit(FAILED_FEED_STATUS if failed else 0)


@app.command("add")
def add(
    file: Annotated[Path, typer.Argument(help="The list.")],
    name: Annotated[str | None, typer.Option(help="What findings call the list; the file's name if not given.")] = None,
    format_: Annotated[
        str | None, typer.Option("--format", "-f", help="TXT, STIX, OTX_CSV, ALIEN_VAULT, PROOF_POINT or FIRE_EYE.")
    ] = None,
    kind: Annotated[
        str, typer.Option(help="ip-set: addresses only; entity-set: addresses and domains.")
    ] = "entity-set",
    trusted: Annotated[bool, typer.Option("--trusted", help="What is on it is never a threat.")] = False,
    account: Annotated[list[str] | None, typer.Option(help="Only for this account; may be repeated.")] = None,
    region: Annotated[list[str] | None, typer.Option(help="Only in this Region; may be repeated.")] = None,
    deactivate: Annotated[bool, typer.Option("--deactivate", help="Keep it, but do not use it yet.")] = False,
    state: StateOption = DATA_FOLDER,
) -> None:
    """Adds a threat list, or one of what is trusted, for all processes at once; or replaces the one of that name."""
    with disk_errors(str(state)):
        added, notices = _library(state).add(
            file,
            name=file.stem if name is None else name,
            format_=None if format_ is None else _one_of(format_.upper(), ListFormat, "--format"),
            kind=_one_of(kind.lower(), SetKind, "--kind"),
            trusted=trusted,
            scope=scope_of(account or (), [_region(one) for one in region or ()]),
            active=not deactivate,
        )
    say(_console(), added_line(added))
    _tell(notices)


@app.command("remove")
def remove(
    name: Annotated[str, typer.Argument(help="A list that was added.")], state: StateOption = DATA_FOLDER
) -> None:
    """Takes a list that was added out of use, and forgets it."""
    with disk_errors(str(state)):
        notices = _library(state).remove(name)
    say(_console(), f"{name} is removed")
    _tell(notices)


@app.command("check")
def check(
    value: Annotated[str, typer.Argument(help="An address, a network, a range or a domain.")],
    intel: FeedsOption = None,
    threat_list: Annotated[list[Path] | None, typer.Option(help="A custom threat list; may be repeated.")] = None,
    trusted_list: Annotated[list[Path] | None, typer.Option(help="A list of what is trusted; may be repeated.")] = None,
    state: StateOption = DATA_FOLDER,
    format_: FormatOption = PrintFormat.TABLE,
) -> None:
    """Shows every list that names an address or a domain. Nothing is fetched."""
    feeds_file = intel or _library(state).feeds_file()
    store, notices = load_indicators(feeds_file, threat_list or (), trusted_list or (), state, offline=True)
    result = review(store, value, datetime.now(UTC))
    if format_ is PrintFormat.JSON:
        print_json(result)
    else:
        say(_console(), result.verdict, "bold")
        if result.named:
            _console().print(named_table(result.named))
    _tell(notices)


def _library(state: Path) -> Library:
    """The lists of a data folder, which need not be there yet."""
    if state.exists() and not state.is_dir():
        raise UsageError(f"--state {state} is not a folder")
    return Library(state)


def _region(name: str) -> str:
    """The name of a Region: a list for one that there is none of would never count."""
    if not _REGION.fullmatch(name):
        raise UsageError(f"--region {name!r} is not the name of a Region, such as eu-west-1")
    return name


def _one_of(value: str, choices: Any, option: str) -> Any:
    try:
        return msgspec.convert(value, choices)
    except msgspec.ValidationError:
        raise UsageError(f"{option} {value!r} is none of {', '.join(choices.__args__)}") from None


def _tell(notices: Iterable[str]) -> None:
    for notice in notices:
        say(Console(stderr=True), notice, "yellow")


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL)
