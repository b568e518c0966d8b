"""`guardray scan`: the main job in batch."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from guardray.cli.catalogue import missing_indicators
from guardray.cli.messages import counted, say
from guardray.cli.outputs import Outputs
from guardray.cli.progress import ScanProgress
from guardray.cli.storing import commit
from guardray.cli.summary import print_summary
from guardray.cli.times import utc
from guardray.dataflow.report import report
from guardray.dataflow.scan import Engine, ScanResult, ScanSettings
from guardray.detectors.loader import load_detectors
from guardray.errors import DetectorError, UsageError
from guardray.findings.finding import Finding
from guardray.findings.severity import Severity
from guardray.findings.writers import Format
from guardray.geo.geography import Geography
from guardray.intel.library import load_indicators
from guardray.inventory import read_inventory
from guardray.sources.limits import Limits
from guardray.sources.objects import InputObject, KeyFilter, locate
from guardray.sources.set_aside import SetAsideFolder

FAILED_STATUS = 1
INCOMPLETE_STATUS = 3

PROBLEMS_SHOWN = 20
"""Failures of detectors that are printed; a broken one may fail on every row."""

RAY_WORTHWHILE_BYTES = 4 * 2**30
"""`auto` starts Ray above this: a cluster needs some 20 s to start, in which one core reads a gigabyte or two."""

LATENESS_MAX_H = 366 * 24

_ACCOUNT = re.compile(r"\d{12}")


class EngineName(StrEnum):
    """Where a scan runs."""

    AUTO = "auto"
    LOCAL = "local"
    RAY = "ray"


def scan(
    sources: Annotated[list[str], typer.Argument(help="Files, folders, s3://bucket/prefix, or - for standard input.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the findings here.")] = None,
    format_: Annotated[
        Format | None,
        typer.Option("--format", "-f", help="How: a table on the terminal, jsonl into a file if not given."),
    ] = None,
    engine: Annotated[EngineName, typer.Option(help="auto takes Ray for large inputs.")] = EngineName.AUTO,
    workers: Annotated[int | None, typer.Option(min=1, help="Ingest workers of the Ray engine.")] = None,
    address: Annotated[str | None, typer.Option(help="A running Ray cluster: auto or HOST:PORT.")] = None,
    store: Annotated[str | None, typer.Option(help="Keep findings in this SQLite file or PostgreSQL URL too.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Only events from this time on (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(help="Only events before this time (UTC).")] = None,
    account: Annotated[list[str] | None, typer.Option(help="Only this account; may be repeated.")] = None,
    region: Annotated[list[str] | None, typer.Option(help="Only this Region; may be repeated.")] = None,
    intel: Annotated[Path | None, typer.Option(help="Threat feeds, in the format of configs/intel.yaml.")] = None,
    threat_list: Annotated[list[Path] | None, typer.Option(help="A custom threat list; may be repeated.")] = None,
    trusted_list: Annotated[
        list[Path] | None, typer.Option(help="Addresses and domains that nothing is found on; may be repeated.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Fetch no feed; take those that were fetched before.")
    ] = False,
    inventory: Annotated[
        list[Path] | None,
        typer.Option(help="What EC2 says of interfaces and instances: JSON, a file or a folder; may be repeated."),
    ] = None,
    geo: Annotated[
        list[Path] | None, typer.Option(help="A MaxMind database to prefer to the built-in one; may be repeated.")
    ] = None,
    aws_ranges: Annotated[Path | None, typer.Option(help="AWS's ip-ranges.json, to tell its addresses by.")] = None,
    type_: Annotated[list[str] | None, typer.Option("--type", help="Only this finding type; may be repeated.")] = None,
    lateness: Annotated[
        float, typer.Option(min=0, max=LATENESS_MAX_H, help="Hours that an event may be older than its file's date.")
    ] = 1,
    s3_endpoint: Annotated[str | None, typer.Option(help="URL of an S3-compatible store.")] = None,
    state: Annotated[Path, typer.Option(help="Folder for rows that are set aside.")] = Path("guardray-data"),
    fail_on: Annotated[
        str | None, typer.Option(help="low, medium, high or critical: exit with 1 on such a finding or a worse one.")
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress and no summary; findings are still shown.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show tracebacks.")] = False,
) -> None:
    """Scan logs for threats: CloudTrail, S3 data events, VPC Flow Logs, Route 53 Resolver query logs, Security Lake."""
    bound = None if fail_on is None else Severity.parse(fail_on)
    key_filter = _key_filter(since and utc(since), until and utc(until), account or (), region or ())
    indicators, notices = load_indicators(intel, threat_list or (), trusted_list or (), state, offline=offline)
    for notice in notices:
        say(Console(stderr=True), notice, "yellow")
    settings = ScanSettings(
        detectors=load_detectors(type_ or ()),
        indicators=indicators,
        geography=Geography.load(geo or (), aws_ranges),
        assets=read_inventory(inventory or ()),
        limits=Limits(lateness=timedelta(hours=lateness)),
        key_filter=key_filter,
        s3_endpoint=s3_endpoint,
    )
    objects = locate(sources, key_filter, s3_endpoint)
    status = run_scan(
        settings,
        objects,
        make_engine(engine, settings, objects, workers, address),
        Outputs(output=output, format_=format_, store=store, state=state, quiet=quiet, fail_on=bound),
    )
    raise typer.Exit(status)


def _key_filter(
    since: datetime | None, until: datetime | None, accounts: Sequence[str], regions: Sequence[str]
) -> KeyFilter:
    if since is not None and until is not None and since >= until:
        raise UsageError(f"--since {since:%Y-%m-%dT%H:%M:%S} is not before --until {until:%Y-%m-%dT%H:%M:%S}")
    if wrong := [account for account in accounts if not _ACCOUNT.fullmatch(account)]:
        raise UsageError(f"--account {wrong[0]!r} is not an account id of 12 digits")
    return KeyFilter(since=since, until=until, account_ids=frozenset(accounts), regions=frozenset(regions))


def make_engine(
    name: EngineName,
    settings: ScanSettings,
    objects: Sequence[InputObject],
    workers: int | None = None,
    address: str | None = None,
) -> Engine:
    """The engine by name; `auto` decides by the size of the input.

    Raises:
        UsageError: the local engine is wanted, and something that only Ray has.
    """
    if name is EngineName.LOCAL and (address is not None or workers is not None):
        raise UsageError(f"{'--workers' if address is None else '--address'} is for Ray: leave out --engine local")
    size = sum(obj.size or 0 for obj in objects)
    large = size > RAY_WORTHWHILE_BYTES or address is not None or workers is not None
    if name is EngineName.RAY or (name is EngineName.AUTO and large):
        from guardray.runtime.engine import RayEngine  # importing Ray takes a second that a local scan need not spend

        return RayEngine(settings, workers=workers, address=address)
    from guardray.dataflow.local import LocalEngine

    return LocalEngine(settings)


def run_scan(settings: ScanSettings, objects: Sequence[InputObject], engine: Engine, outputs: Outputs) -> int:
    """Scans, writes the findings, and gives the exit status."""
    outputs.check(objects)
    console = Console(stderr=True)
    _report_lists(settings, console)
    started = time.perf_counter()
    folder = SetAsideFolder(outputs.state)
    with ScanProgress(objects, folder, console, quiet=outputs.quiet) as progress:
        result = engine.scan(objects, progress)
    findings, problems = report(result, settings, datetime.now(UTC))
    problems = [*result.problems, *problems]
    _report_problems(problems, console)
    repeated = 0
    try:
        if outputs.store is not None:
            repeated = commit(outputs.store, settings, result, findings, datetime.now(UTC))
    finally:
        outputs.write(findings)  # a store that fails only now must not cost what the scan found
    if not outputs.quiet:
        print_summary(console, len(objects), result, findings, folder, time.perf_counter() - started)
        _print_inactive(settings, console)
        if repeated:
            say(console, f"  {repeated:,} of them had been stored before, counted once", "dim")
    return _status(result, findings, problems, outputs.fail_on)


def _report_lists(settings: ScanSettings, console: Console) -> None:
    for one in settings.indicators.lists:
        if one.skipped:
            skipped = f"{counted(one.skipped, 'line')} skipped (no public address and no domain)"
            say(console, f"threat list {one.name}: {one.entries:,} usable, {skipped}", "yellow")


def _print_inactive(settings: ScanSettings, console: Console) -> None:
    """Says how much was not looked for, so that no finding is not taken for no threat."""
    missing = [d for d in settings.detectors if missing_indicators(d, settings.indicators) is not None]
    if missing:
        of_all = f"{len(missing)} of {len(settings.detectors)} finding types"
        say(console, f"  {of_all} were inactive for want of a threat list: guardray detectors list", "dim")


def _report_problems(problems: Sequence[DetectorError], console: Console) -> None:
    distinct = list(dict.fromkeys(map(str, problems)))
    for problem in distinct[:PROBLEMS_SHOWN]:
        say(console, f"detector failed: {problem}", "red")
    if len(distinct) > PROBLEMS_SHOWN:
        say(console, f"detectors failed {len(distinct) - PROBLEMS_SHOWN:,} times more", "red")


def _status(
    result: ScanResult, findings: Sequence[Finding], problems: Sequence[DetectorError], fail_on: Severity | None
) -> int:
    if fail_on is not None and any(finding.severity >= fail_on.floor for finding in findings):
        return FAILED_STATUS
    is_incomplete = problems or result.counts.set_aside or result.counts.set_aside_objects
    return INCOMPLETE_STATUS if is_incomplete else 0
