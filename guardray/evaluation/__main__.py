"""`make evaluate`: simulate, judge in several ways, and write what came of it."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from guardray.detectors.features import specs_of
from guardray.evaluation import report
from guardray.evaluation.explaining import Explained, explained, explanations
from guardray.evaluation.judging import Labels, judge
from guardray.evaluation.observed import Observed, behaviour_detectors, observe
from guardray.evaluation.recorded import Recordings
from guardray.evaluation.report import Result
from guardray.evaluation.variants import Variant, run
from guardray.models.policy import Policy
from guardray.simulate.evaluation import ATTACKS_FROM_DAY, DAYS, write_evaluation

RULES, SHIPPED = "rules alone", "shipped"

SINGLE = ("robust", "ecod", "copod", "hbos", "iforest", "loda")
"""Models that decide alone, for comparison."""

SEEDS = (11, 12, 13)
"""Those of reports. Whoever tunes takes others."""

VARIANTS = (
    Variant(RULES, "rules"),
    *(Variant(f"{name} alone", "model", Policy(model=name)) for name in SINGLE),
    Variant("shipped models alone", "model", Policy()),
    Variant(SHIPPED, "both", Policy()),
)


def main(arguments: list[str] | None = None) -> int:
    """Run it; what is written are `evaluation.md` and `evaluation.svg` in the folder."""
    options = _options(arguments)
    recordings = Recordings(options.recorded)
    _say(recordings.missing or f"{len(recordings.attacks)} recorded attacks are moved into the accounts")
    chosen = [one for one in VARIANTS if not options.variant or one.name in options.variant]
    results: dict[str, dict[int, Result]] = {}
    reasons: dict[str, list[Explained]] = {}
    for seed in options.seed or SEEDS:
        folder = options.out / f"seed-{seed}"
        observed = _observed(folder, seed, options.accounts, recordings)
        for variant in chosen:
            results.setdefault(variant.name, {})[seed] = _judged(variant, observed, folder)
            reasons.setdefault(variant.name, []).extend(_explained(results[variant.name][seed], seed))
            _say(f"seed {seed}: {variant.name}: {_told(results[variant.name][seed])}")
            _write(options.out, results, reasons)
        shutil.rmtree(folder)
    _say(f"written to {options.out / 'evaluation.md'}")
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m guardray.evaluation", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("guardray-evaluation"), help="folder to write to")
    parser.add_argument("--seed", type=int, action="append", help="may be repeated; three of them if not given")
    parser.add_argument("--accounts", type=int, default=3, help="accounts of each seed")
    parser.add_argument("--variant", action="append", help="only this way to judge; may be repeated")
    parser.add_argument("--recorded", type=Path, help="folder with recorded attacks and labels/cloudtrail.csv")
    return parser.parse_args(arguments)


def _observed(folder: Path, seed: int, accounts: int, recordings: Recordings) -> Observed:
    shutil.rmtree(folder, ignore_errors=True)
    _say(f"seed {seed}: {accounts} accounts are simulated for {DAYS} days")
    write_evaluation(folder, accounts=accounts, seed=seed, further=recordings.episodes)
    _say(f"seed {seed}: their logs are read")
    lists = folder / "indicators" / "intel.yaml"
    return observe([str(folder / "AWSLogs")], behaviour_detectors(), feeds=lists, state=folder / "state")


def _judged(variant: Variant, observed: Observed, folder: Path) -> Result:
    labels = Labels.read(folder / "labels.csv")
    start = labels.start.replace(hour=0, minute=0, second=0)
    outcome = run(variant, observed, behaviour_detectors(), start, DAYS)
    return judge(outcome.sightings, labels, from_day=ATTACKS_FROM_DAY, days=DAYS), outcome


def _explained(result: Result, seed: int) -> list[Explained]:
    _, outcome = result
    specs = {spec.name: spec for spec in specs_of(behaviour_detectors())}
    families = outcome.families.items()
    return [one for name, of in families for one in explained(of, specs[name], outcome.features[name], seed=seed)]


def _told(result: Result) -> str:
    verdict, _ = result
    return f"{verdict.incident_recall:.0%} of incidents, {verdict.per_account_week:.2f} false an account and week"


def _write(out: Path, results: dict[str, dict[int, Result]], reasons: dict[str, list[Explained]]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    shown = [name for name in (RULES, "shipped models alone", SHIPPED) if name in results]
    parts = ["# Evaluation\n", report.overview(results), "\n## Finding types\n", report.by_type(results, shown)]
    parts += ["\n## Cost\n", report.cost(results), "\n## Explanations\n", explanations(reasons)]
    for name in shown:
        parts += [f"\n## Missed: {name}\n", report.misses(results[name])]
        parts += [f"\n## False: {name}\n", report.false_alarms(results[name])]
    (out / "evaluation.md").write_text("\n".join(parts) + "\n", encoding="utf-8")
    report.plot(results, out / "evaluation.svg")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
