"""The models that a scan uses, and what it says where it knows nothing beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from guardray.cli.messages import say
from guardray.dataflow.scan import ScanSettings
from guardray.detectors.behaviour import HISTORY_DAYS
from guardray.detectors.declare import ActivityDetector
from guardray.detectors.features import specs_of
from guardray.models.in_force import in_force
from guardray.models.registry import FOLDER, Registry
from guardray.models.scorer import LocalScorer
from guardray.sources.objects import InputObject


def with_models(settings: ScanSettings, baseline: Path, console: Console) -> ScanSettings:
    """The settings with the models of a baseline, where it has any. What cannot be used is told of."""
    models, errors = in_force(Registry(baseline / FOLDER), specs_of(settings.detectors))
    for error in errors:
        say(console, str(error), "yellow")
    return replace(settings, scorer=LocalScorer(models)) if models.families else settings


def tell_first_days(settings: ScanSettings, objects: Sequence[InputObject], console: Console) -> None:
    """Says that what is usual is learned from the first days of the logs, so that silence on them is no surprise."""
    if not any(isinstance(one, ActivityDetector) and one.learning == "before" for one in settings.detectors):
        return
    days = sorted({obj.key_time.date() for obj in objects if obj.key_time is not None})
    until = days[0] + timedelta(days=HISTORY_DAYS - 1) if days else None
    named = f", {days[0]} to {until}," if days else ""
    told = f"  without --baseline, what is usual was learned from the first {HISTORY_DAYS} days of these logs"
    say(console, f"{told}{named or ','} as they came: guardray train learns it beforehand, and models of it", "dim")
