"""What `guardray train` does beside habits: rows for the archive, and models of them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
from rich.console import Console

from guardray.cli.messages import counted, say
from guardray.dataflow.baseline import Baseline
from guardray.dataflow.scan import ScanResult, ScanSettings
from guardray.detectors.activity import LAST_DAY
from guardray.detectors.features import FeatureSpec, specs_of
from guardray.models import archive, registry
from guardray.models.archive import Archive
from guardray.models.policy import Policy
from guardray.models.registry import Registry
from guardray.models.training import keep, live_family, train


def train_models(settings: ScanSettings, result: ScanResult, folder: Path, console: Console, now: datetime) -> None:
    """Keeps what the logs showed and trains a model of each kind on all that is kept, and says what came of it.

    Args:
        settings: what the logs were read with; its baseline is what was known before.
        folder: that of the baseline.

    Raises:
        ModelError: something cannot be written; models that are in force stay.
    """
    kept, models = Archive(folder / archive.FOLDER), Registry(folder / registry.FOLDER)
    specs = specs_of(settings.detectors)
    for spec in specs:
        if (rows := result.features.get(spec.name)) is not None:
            kept.add(spec, _of_new_days(rows, spec, settings.baseline))
    for spec in specs:
        _train(kept, models, spec, len(specs), console, now)
    for problem in kept.problems.values():
        say(console, str(problem), "yellow")


def _train(kept: Archive, models: Registry, spec: FeatureSpec, families: int, console: Console, now: datetime) -> None:
    policy, days = Policy(), kept.days(spec)
    if not days:
        return
    kept.keep_latest(days[-1])
    candidate = train(kept, spec, policy, until=days[-1], families=families, live=live_family(models, spec))
    if candidate is None:
        say(console, f"{spec.name}: no model, for want of days; rules decide alone", "dim")
        return
    is_in_force = keep(models, candidate, policy, at=now)
    card = candidate.card
    learned = f"{counted(card.rows, 'row')} of {counted(card.accounts, 'account')}"
    waits = f"waits for `guardray models promote`: {'; '.join(candidate.verdict.reasons)}"
    state = "is in force" if is_in_force else waits
    say(console, f"{spec.name}: model {card.version} of {learned} {state}", "bold" if is_in_force else "yellow")


def _of_new_days(rows: pl.DataFrame, spec: FeatureSpec, known: Baseline) -> pl.DataFrame:
    """The rows of days that the baseline did not know of their account: to it, known days hold no news."""
    account = spec.whose[0]
    days = [
        pl.DataFrame(table.select([account, LAST_DAY]))
        for name, table in known.tables.items()
        if name.startswith(f"activities/{spec.activity.name}/")
    ]
    if not days:
        return rows
    last = pl.concat(days).group_by(account).agg(pl.col(LAST_DAY).max())
    seen = rows.join(last, on=account, how="left", nulls_equal=True, maintain_order="left")
    is_new = pl.col(LAST_DAY).is_null() | (pl.col("window_start").dt.date() > pl.col(LAST_DAY))
    return seen.filter(is_new).drop(LAST_DAY)
