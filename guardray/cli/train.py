"""`guardray train`: learns what is usual from logs of the past."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from guardray.cli.detections import DetectionsOption, chosen, load_own, tell_problems
from guardray.cli.messages import counted, say
from guardray.cli.options import (
    AccountOption,
    Address,
    AwsRanges,
    EngineName,
    EngineOption,
    Geo,
    Intel,
    Lateness,
    Offline,
    RegionOption,
    S3Endpoint,
    Since,
    Sources,
    TrustedLists,
    Until,
    Verbose,
    Workers,
)
from guardray.cli.progress import ScanProgress
from guardray.cli.scanning import key_filter_of, make_engine, tell_failures
from guardray.dataflow.baseline import Baseline
from guardray.dataflow.scan import ScanSettings
from guardray.detectors.declare import ActivityDetector, ChangeDetector, Detector
from guardray.geo.geography import Geography
from guardray.intel.library import load_indicators
from guardray.sources.limits import Limits
from guardray.sources.objects import locate
from guardray.sources.set_aside import SetAsideFolder

INCOMPLETE_STATUS = 3


def train(
    sources: Sources,
    baseline: Annotated[Path, typer.Option(help="Folder to keep it in; what it holds already is built upon.")],
    engine: EngineOption = EngineName.AUTO,
    workers: Workers = None,
    address: Address = None,
    since: Since = None,
    until: Until = None,
    account: AccountOption = None,
    region: RegionOption = None,
    intel: Intel = None,
    trusted_list: TrustedLists = None,
    offline: Offline = False,
    geo: Geo = None,
    aws_ranges: AwsRanges = None,
    detections: DetectionsOption = None,
    lateness: Lateness = 1,
    s3_endpoint: S3Endpoint = None,
    state: Annotated[Path, typer.Option(help="Folder for rows that are set aside.")] = Path("guardray-data"),
    verbose: Verbose = False,
) -> None:
    """Learn from logs what is usual, for `guardray scan --baseline`. No finding is written."""
    console = Console(stderr=True)
    known = Baseline.open(baseline) if Baseline.is_kept(baseline) else Baseline()
    indicators, notices = load_indicators(intel, (), trusted_list or (), state, offline=offline)
    for notice in notices:
        say(console, notice, "yellow")
    own = load_own(detections)
    tell_problems(own, console)
    settings = ScanSettings(
        detectors=tuple(detector for detector in chosen(own, ()) if _learns(detector)),
        indicators=indicators,
        geography=Geography.load(geo or (), aws_ranges),
        baseline=known,
        limits=Limits(lateness=timedelta(hours=lateness)),
        key_filter=key_filter_of(since, until, account, region),
        s3_endpoint=s3_endpoint,
    )
    objects = locate(sources, settings.key_filter, s3_endpoint)
    started = time.perf_counter()
    folder = SetAsideFolder(state)
    with ScanProgress(objects, folder, console) as progress:
        result = make_engine(engine, settings, objects, workers, address).scan(objects, progress)
    tell_failures(result.problems, console)
    # What a detection of somebody's own learned is kept, though it is not loaded this time.
    learned = Baseline({**known.tables, **result.learned.tables})
    learned.save(baseline)
    read = f"{counted(result.counts.read, 'row')} of {counted(len(objects), 'object')}"
    say(console, f"{_told(learned)} from {read} in {time.perf_counter() - started:.1f} s: {baseline}", "bold")
    set_aside = result.counts.set_aside or result.counts.set_aside_objects
    raise typer.Exit(INCOMPLETE_STATUS if set_aside or result.problems or own.problems else 0)


def _learns(detector: Detector) -> bool:
    """Whether it knows more for having seen logs of the past."""
    if isinstance(detector, ActivityDetector):
        return bool(detector.activity.habits or detector.activity.levels)
    return isinstance(detector, ChangeDetector)


def _told(learned: Baseline) -> str:
    """How much was learned, and up to when, in words."""
    rows = dict.fromkeys(("configurations", "activities"), 0)
    for name, table in learned.tables.items():
        rows[name.partition("/")[0]] += table.num_rows
    until = f" up to {learned.last_day}" if learned.last_day else ""
    return f"{counted(rows['configurations'], 'configuration')} and {counted(rows['activities'], 'habit')} known{until}"
