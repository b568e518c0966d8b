"""An account whose habits change for good: judged by models that stay, and by models that drift has trained anew.

`python -m guardray.evaluation.drifting` simulates one and writes `drift.md` and `drift.svg`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from guardray.detectors.features import FeatureSpec, specs_of
from guardray.evaluation import changed_account
from guardray.evaluation.markdown import table
from guardray.evaluation.observed import behaviour_detectors, observe
from guardray.evaluation.variants import Variant, run
from guardray.models.archive import Archive
from guardray.models.back_test import would_find
from guardray.models.drift import drift
from guardray.models.family import Family
from guardray.models.policy import Policy
from guardray.models.training import train

SPEC = "management-calls"

LEARNED_WEEKS = 4
"""Weeks before the first training."""


@dataclass(frozen=True)
class Week:
    """What models told of in a week.

    Attributes:
        number: of the week, from 0 on.
        rows: that they were asked about.
        kept: days of principals that the first models told of.
        renewed: the same by models that were trained anew when an account had drifted.
        drifted: the feature that had changed most by the end of the week, which caused a training; empty: none did.
    """

    number: int
    rows: int
    kept: int
    renewed: int
    drifted: str = ""


def weeks(spec: FeatureSpec, rows: pl.DataFrame, first: date, policy: Policy) -> list[Week]:
    """Judge all weeks after those that are learned from.

    Args:
        rows: what `spec.measured` gave, and `flagged`, of whole weeks.
        first: the first day.
    """
    with TemporaryDirectory(prefix="guardray-drift-") as folder:
        archive = Archive(Path(folder))
        archive.add(spec, rows)
        last: date = rows["window_start"].dt.date().max()  # type: ignore[assignment]
        return _judged(spec, archive, first, (last - first).days // 7 + 1, policy)


def _judged(spec: FeatureSpec, archive: Archive, first: date, many: int, policy: Policy) -> list[Week]:
    trained_on = _last_day(first, LEARNED_WEEKS - 1)
    kept = renewed = _trained(spec, archive, trained_on, policy)
    found = []
    for number in range(LEARNED_WEEKS, many):
        end = _last_day(first, number)
        rows = archive.read(spec, since=end - timedelta(days=6), until=end)
        by_kept, by_renewed = (0 if one is None else would_find(one, spec, rows).height for one in (kept, renewed))
        reason = "" if renewed is None else _changed(renewed, spec, archive, trained_on, end, policy)
        if reason:
            trained_on, renewed = end, _trained(spec, archive, end, policy)
        found.append(Week(number, rows.height, by_kept, by_renewed, reason))
    return found


def _last_day(first: date, week: int) -> date:
    return first + timedelta(days=7 * week + 6)


def _trained(spec: FeatureSpec, archive: Archive, until: date, policy: Policy) -> Family | None:
    candidate = train(archive, spec, policy, until=until)
    return None if candidate is None else candidate.family


def _changed(family: Family, spec: FeatureSpec, archive: Archive, learned: date, end: date, policy: Policy) -> str:
    """The feature that changed most in an account that has drifted since the last training; empty: none has."""
    before = archive.read(spec, since=learned - timedelta(days=policy.window_days - 1), until=learned)
    since = archive.read(spec, since=learned + timedelta(days=1), until=end)
    drifted = [one for one in drift(family, spec, before, since) if one.is_drifted]
    return max(drifted, key=lambda one: one.worst[1]).worst[0] if drifted else ""


def drift_table(found: Sequence[Week]) -> str:
    """In Markdown, a line a week."""
    head = ("week", "rows", "told of, models kept", "told of, models renewed", "trained anew after it, for drift of")
    return table(head, [(one.number + 1, one.rows, one.kept, one.renewed, one.drifted or "-") for one in found])


def plot(found: Sequence[Week], path: Path) -> None:
    """What was told of by week, by both."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.subplots()
    at = [one.number + 1 for one in found]
    axes.plot(at, [one.kept for one in found], marker="s", label="models kept")
    axes.plot(at, [one.renewed for one in found], marker="o", label="trained anew when the account drifted")
    for one in found:
        if one.drifted:
            axes.axvline(one.number + 1.5, color="grey", linestyle=":")
    axes.set(xlabel="week", ylabel="false findings", xticks=at)
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=8, loc="center right")
    figure.savefig(path)


def measured(folder: Path, first: date, days: int, spec_name: str) -> tuple[FeatureSpec, pl.DataFrame]:
    """The rows that models see of the logs in a folder, of one spec, judged by rules alone."""
    detectors = behaviour_detectors()
    observed = observe([str(folder)], detectors, state=folder / "state")
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    outcome = run(Variant("rules alone", "rules"), observed, detectors, start, days)
    return next(spec for spec in specs_of(detectors) if spec.name == spec_name), outcome.features[spec_name]


def main(arguments: list[str] | None = None) -> int:
    """Simulate, judge and write."""
    parser = argparse.ArgumentParser(prog="python -m guardray.evaluation.drifting", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("guardray-evaluation"), help="folder to write to")
    parser.add_argument("--weeks", type=int, default=12)
    parser.add_argument("--changed-from", type=int, default=6, help="week, counted from 0")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="guardray-drift-") as folder:
        logs = changed_account.write(Path(folder) / "logs", options.weeks, options.changed_from, options.seed)
        spec, rows = measured(logs, changed_account.FIRST, 7 * options.weeks, SPEC)
    found = weeks(spec, rows, changed_account.FIRST, Policy())
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "drift.md").write_text(drift_table(found) + "\n", encoding="utf-8")
    plot(found, options.out / "drift.svg")
    print(drift_table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
