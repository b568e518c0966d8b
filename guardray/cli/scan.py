"""`guardray scan`: the main job in batch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from guardray.cli.messages import counted, say
from guardray.cli.models_in_use import tell_first_days, with_models
from guardray.cli.options import FINDINGS, KNOWN, Reading, Sources, Verbose
from guardray.cli.outputs import Outputs
from guardray.cli.progress import ScanProgress
from guardray.cli.scanning import make_engine, open_baseline, settings_of, tell_failures
from guardray.cli.spread import spread
from guardray.cli.storing import commit
from guardray.cli.summary import print_summary
from guardray.dataflow.baseline import Baseline
from guardray.dataflow.report import dry_run, report
from guardray.dataflow.scan import Engine, ScanResult, ScanSettings
from guardray.errors import DetectorError
from guardray.findings.finding import Finding
from guardray.findings.severity import Severity
from guardray.findings.writers import Format
from guardray.rulebook.entries import missing_indicators
from guardray.sources.objects import InputObject, locate
from guardray.sources.set_aside import SetAsideFolder

FAILED_STATUS = 1
INCOMPLETE_STATUS = 3


@spread
def scan(
    sources: Sources,
    reading: Reading,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the findings here; - is standard output.", rich_help_panel=FINDINGS),
    ] = None,
    format_: Annotated[
        Format | None,
        typer.Option(
            "--format",
            "-f",
            help="How: a table on the terminal, jsonl into a file if not given.",
            rich_help_panel=FINDINGS,
        ),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(help="Keep findings in this SQLite file or PostgreSQL URL too.", rich_help_panel=FINDINGS),
    ] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(
            help="low, medium, high or critical: exit with 1 on such a finding or a worse one.",
            rich_help_panel=FINDINGS,
        ),
    ] = None,
    type_: Annotated[
        list[str] | None,
        typer.Option("--type", help="Only this finding type; may be repeated.", rich_help_panel=FINDINGS),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(help="What is usual, as `guardray train` learned it from earlier logs.", rich_help_panel=KNOWN),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress and no summary; findings are still shown.")
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Scan logs for threats: CloudTrail, S3 data events, VPC Flow Logs, Route 53 Resolver query logs, Security Lake."""
    outputs = Outputs.of(output, format_, store=store, state=reading.state, quiet=quiet, fail_on=fail_on)
    known = Baseline() if baseline is None else open_baseline(baseline)
    console = Console(stderr=True)
    settings, own = settings_of(reading, console, baseline=known, types=type_ or ())
    objects = locate(sources, settings.key_filter, settings.s3_endpoint, datetime.now(UTC))
    if baseline is not None:
        settings = with_models(settings, baseline, console)
    _tell_overlap(settings.baseline, objects)
    engine = make_engine(reading.engine, settings, objects, reading.workers, reading.address)
    status = run_scan(settings, objects, engine, outputs)
    if baseline is None and not quiet:
        tell_first_days(settings, objects, console)
    raise typer.Exit(status or (INCOMPLETE_STATUS if own.problems else 0))


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
    tell_failures(problems, console)
    repeated = 0
    try:
        if outputs.store is not None:
            repeated = commit(outputs.store, settings, result, findings, datetime.now(UTC))
    finally:
        outputs.write(findings)  # a store that fails only now must not cost what the scan found
    if not outputs.quiet:
        print_summary(console, len(objects), result, findings, folder, time.perf_counter() - started)
        _print_inactive(settings, console)
        _print_dry_run(result, settings, console)
        if repeated:
            say(console, f"  {repeated:,} of them had been stored before, counted once", "dim")
    return _status(result, findings, problems, outputs.fail_on)


def _tell_overlap(baseline: Baseline, objects: Sequence[InputObject]) -> None:
    """Says that days were learned from which are scanned, so that no finding is not taken for no news."""
    first = min((obj.key_time.date() for obj in objects if obj.key_time is not None), default=None)
    if baseline.last_day is not None and first is not None and first <= baseline.last_day:
        known = f"the baseline was learned from days up to {baseline.last_day}, and logs from {first} on are scanned"
        say(Console(stderr=True), f"{known}: what happened on days that it knows is no news to it", "yellow")


def _report_lists(settings: ScanSettings, console: Console) -> None:
    for one in settings.indicators.lists:
        if one.skipped:
            skipped = f"{counted(one.skipped, 'line')} skipped (no public address and no domain)"
            kind = "trusted" if one.category == "trusted" else "threat"
            say(console, f"{kind} list {one.name}: {one.entries:,} usable, {skipped}", "yellow")


def _print_inactive(settings: ScanSettings, console: Console) -> None:
    """Says how much was not looked for, so that no finding is not taken for no threat."""
    missing = [d for d in settings.detectors if missing_indicators(d, settings.indicators) is not None]
    if missing:
        of_all = f"{len(missing)} of {len(settings.detectors)} finding types"
        say(console, f"  {of_all} were inactive for want of a threat list: guardray detectors list", "dim")


def _print_dry_run(result: ScanResult, settings: ScanSettings, console: Console) -> None:
    """Says what detectors would have found that only run to see what they would find."""
    for name, (findings, events) in sorted(dry_run(result, settings).items()):
        would = f"{counted(findings, 'finding')} of {counted(events, 'event')}"
        say(console, f"  dry run: {name} would give {would}", "dim")


def _status(
    result: ScanResult, findings: Sequence[Finding], problems: Sequence[DetectorError], fail_on: Severity | None
) -> int:
    if fail_on is not None and any(finding.severity >= fail_on.floor for finding in findings):
        return FAILED_STATUS
    is_incomplete = problems or result.counts.set_aside or result.counts.set_aside_objects
    return INCOMPLETE_STATUS if is_incomplete else 0
