"""`guardray detectors`: the finding types that there are detectors for, and what each needs."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from guardray.cli.columns import columns_of
from guardray.cli.detections import tell_problems
from guardray.cli.detector_pages import account_page, columns_table, entries_table, markdown_table, wide_console
from guardray.cli.messages import counted, print_json, say
from guardray.cli.options import DetectionsOption, Verbose
from guardray.custom.library import OwnRule, read_folders, without_duplicates
from guardray.custom.settings import folders_of
from guardray.detectors.loader import load_detectors
from guardray.intel.library import load_indicators
from guardray.intel.store import IndicatorStore
from guardray.rulebook.entries import Account, Entry, account, entries, own_account, own_entry
from guardray.rulebook.examples import outcomes
from guardray.rulebook.loading import OwnDetections, load_own
from guardray.schema import api_activity, dns_activity, network_activity

FAILED_STATUS = 2


class ListFormat(StrEnum):
    """How the list is printed."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


class ShowFormat(StrEnum):
    """How one finding type is printed."""

    PAGE = "page"
    JSON = "json"


class LogName(StrEnum):
    """A log, as rows are told apart by."""

    CLOUDTRAIL = "cloudtrail"
    FLOW = "vpc-flow"
    DNS = "dns"


_SCHEMAS = {
    LogName.CLOUDTRAIL: api_activity.SCHEMA,
    LogName.FLOW: network_activity.SCHEMA,
    LogName.DNS: dns_activity.SCHEMA,
}

IntelOption = Annotated[Path | None, typer.Option(help="Threat feeds, in the format of configs/intel.yaml.")]
ThreatListOption = Annotated[list[Path] | None, typer.Option(help="A custom threat list; may be repeated.")]
StateOption = Annotated[Path, typer.Option(help="Folder that fetched feeds and added lists are kept in.")]

app = typer.Typer(help="The finding types, what each needs, and whether it is active.", no_args_is_help=True)


@app.command("list")
def list_detectors(
    format_: Annotated[ListFormat, typer.Option("--format", "-f", help="How to print the list.")] = ListFormat.TABLE,
    intel: IntelOption = None,
    threat_list: ThreatListOption = None,
    detections: DetectionsOption = None,
    state: StateOption = Path("guardray-data"),
) -> None:
    """Lists the finding types, and which are active with the threat lists and detections given."""
    indicators = _indicators(intel, threat_list, state)
    own = load_own(detections)
    listed = sorted((*entries(indicators), *_own_entries(own, indicators)), key=lambda entry: entry.type)
    if format_ is ListFormat.JSON:
        print_json(listed)
    elif format_ is ListFormat.MARKDOWN:
        typer.echo(markdown_table(listed))
    else:
        console = wide_console()
        console.print(entries_table(listed, console.width))
    tell_problems(own, Console(stderr=True))


@app.command("show")
def show_detector(
    finding_type: Annotated[str, typer.Argument(metavar="TYPE", help="A finding type, as `list` names it.")],
    intel: IntelOption = None,
    threat_list: ThreatListOption = None,
    detections: DetectionsOption = None,
    state: StateOption = Path("guardray-data"),
    format_: Annotated[ShowFormat, typer.Option("--format", "-f", help="How to print it.")] = ShowFormat.PAGE,
) -> None:
    """Explains one finding type: what fires, what does not, what it needs, and the numbers that it can be tuned by."""
    indicators = _indicators(intel, threat_list, state)
    own = load_own(detections)
    shown = _own_account(own, finding_type, indicators) or account(finding_type, indicators)
    if format_ is ShowFormat.JSON:
        print_json(shown)
    else:
        wide_console().print(account_page(shown))


@app.command("check")
def check_detections(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders with detections of your own.")],
    verbose: Verbose = False,
) -> None:
    """Reads detections and runs their examples. Exits with 2 where one cannot be read or an example fails."""
    console = Console()
    read, refused = read_folders(folders_of(paths))
    kept, twice = without_duplicates(read, load_detectors())
    failures = sum(_check(rule, console, verbose) for rule in kept)
    for one in (*refused, *twice):
        say(console, f"not loaded: {one.reason}", "bold red")
        _trace(one.error if verbose else None, console)
    passed = sum(len(rule.detector.examples) for rule in kept) - failures
    told = f"{counted(len(kept), 'detection')}, {counted(passed, 'example')} passed, {failures} failed"
    say(console, f"{told}, {len(refused) + len(twice)} not loaded", "bold")
    raise typer.Exit(FAILED_STATUS if failures or refused or twice else 0)


@app.command("columns")
def list_columns(
    log: Annotated[LogName, typer.Argument(help="The log whose rows a detection looks at.")],
) -> None:
    """Lists the columns that a detection of your own can look at."""
    wide_console().print(columns_table(columns_of(_SCHEMAS[log])))


def _check(rule: OwnRule, console: Console, verbose: bool) -> int:
    """Prints what comes of a rule's examples; how many of them fail."""
    done = outcomes(rule.detector)
    say(console, f"{rule.detector.finding_type} ({rule.kind}, {rule.detector.mode}, {rule.path})", "bold")
    for outcome in done:
        kind = "fires" if outcome.example.fires else "quiet"
        if outcome.failure is None:
            say(console, f"  pass  {kind}: {outcome.example.name}", "green")
        else:
            say(console, f"  FAIL  {kind}: {outcome.example.name}: {outcome.failure}", "red")
            _trace(outcome.error if verbose else None, console)
    if not done:
        say(console, "  no examples", "yellow")
    return sum(outcome.failure is not None for outcome in done)


def _trace(error: BaseException | None, console: Console) -> None:
    """Says where an error of somebody's code comes from."""
    if error is not None:
        say(console, "".join(traceback.format_exception(error)).rstrip(), "dim")


def _own_entries(own: OwnDetections, indicators: IndicatorStore) -> list[Entry]:
    """Those that run, and those whose examples fail."""
    running = [own_entry(rule, indicators) for rule in own.rules]
    return running + [own_entry(rule, indicators, why_not=reason) for rule, reason in own.failed]


def _own_account(own: OwnDetections, finding_type: str, indicators: IndicatorStore) -> Account | None:
    for rule, reason in (*((rule, None) for rule in own.rules), *own.failed):
        if rule.detector.finding_type == finding_type:
            return own_account(rule, indicators, reason)
    return None


def _indicators(intel: Path | None, threat_list: Sequence[Path] | None, state: Path) -> IndicatorStore:
    """The lists that a scan would have, without fetching any; what is to be told of them goes to stderr."""
    indicators, notices = load_indicators(intel, threat_list or (), (), state, offline=True)
    for notice in notices:
        say(Console(stderr=True), notice, "yellow")
    return indicators
