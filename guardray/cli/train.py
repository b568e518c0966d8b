"""`guardray train`: learns what is usual from logs of the past."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from guardray.cli.messages import counted, say
from guardray.cli.model_training import train_models
from guardray.cli.options import KNOWN, Reading, Sources, Verbose
from guardray.cli.outputs import check_new_folder
from guardray.cli.progress import ScanProgress
from guardray.cli.scanning import make_engine, settings_of, tell_failures
from guardray.cli.spread import spread
from guardray.dataflow.baseline import Baseline
from guardray.detectors.declare import ActivityDetector, ChangeDetector, Detector, activities_of
from guardray.sources.objects import locate
from guardray.sources.set_aside import SetAsideFolder

INCOMPLETE_STATUS = 3


@spread
def train(
    sources: Sources,
    reading: Reading,
    baseline: Annotated[
        Path, typer.Option(help="Folder to keep it in; what it holds already is built upon.", rich_help_panel=KNOWN)
    ],
    verbose: Verbose = False,
) -> None:
    """Learn from logs what is usual, and models of it, for `guardray scan --baseline`. No finding is written."""
    console = Console(stderr=True)
    check_new_folder("--baseline", baseline)
    known = Baseline.open(baseline) if Baseline.is_kept(baseline) else Baseline()
    settings, own = settings_of(reading, console, baseline=known, wanted=_learns)
    settings = replace(settings, archives=True)
    objects = locate(sources, settings.key_filter, settings.s3_endpoint, datetime.now(UTC))
    engine = make_engine(reading.engine, settings, objects, reading.workers, reading.address)
    started = time.perf_counter()
    with ScanProgress(objects, SetAsideFolder(reading.state), console) as progress:
        result = engine.scan(objects, progress)
    tell_failures(result.problems, console)
    # What a detection of somebody's own learned is kept, though it is not loaded this time.
    news = result.learned.defined(activities_of(settings.detectors))
    learned = Baseline({**settings.baseline.tables, **news.tables})
    learned.save(baseline)
    read = f"{counted(result.counts.read, 'row')} of {counted(len(objects), 'object')}"
    train_models(settings, result, baseline, console, datetime.now(UTC))
    say(console, f"{_told(learned)} from {read} in {time.perf_counter() - started:.1f} s: {baseline}", "bold")
    set_aside = result.counts.set_aside or result.counts.set_aside_objects
    raise typer.Exit(INCOMPLETE_STATUS if set_aside or result.problems or own.problems else 0)


def _learns(detector: Detector) -> bool:
    """Whether it knows more for having seen logs of the past."""
    if isinstance(detector, ActivityDetector):
        return detector.activity.learns
    return isinstance(detector, ChangeDetector)


def _told(learned: Baseline) -> str:
    """How much was learned, and up to when, in words."""
    rows = dict.fromkeys(("configurations", "activities"), 0)
    for name, table in learned.tables.items():
        rows[name.partition("/")[0]] += table.num_rows
    until = f" up to {learned.last_day}" if learned.last_day else ""
    return f"{counted(rows['configurations'], 'configuration')} and {counted(rows['activities'], 'habit')} known{until}"
