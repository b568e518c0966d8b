"""Verdicts as tables in Markdown, and as plots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, median

from guardray.evaluation.judging import Verdict
from guardray.evaluation.markdown import table
from guardray.evaluation.variants import Outcome

Result = tuple[Verdict, Outcome]
Results = Mapping[str, Mapping[int, Result]]
"""By variant, then by seed."""


def overview(results: Results) -> str:
    """Each variant in a line: means over seeds, and the range of recall and of false findings."""
    rows = []
    for name, by_seed in results.items():
        verdicts = [verdict for verdict, _ in by_seed.values()]
        delays = [hours for verdict in verdicts for hours in verdict.delays_hours()]
        rows.append(
            (
                name,
                _mean_and_range([one.incident_recall for one in verdicts]),
                _mean_and_range([one.recall for one in verdicts]),
                _mean_and_range([one.per_account_week for one in verdicts]),
                f"{median(delays):.1f} h" if delays else "-",
            )
        )
    return table(("judged by", "incidents found", "finding types found", "false a week", "median delay"), rows)


def _mean_and_range(values: Sequence[float]) -> str:
    return f"{fmean(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def by_type(results: Results, names: Sequence[str]) -> str:
    """Recall of each finding type, all seeds together."""
    counts: dict[str, dict[str, tuple[int, int]]] = {}
    for name in names:
        for verdict, _ in results[name].values():
            for finding_type, (found, total) in verdict.by_type().items():
                of = counts.setdefault(finding_type, {})
                before = of.get(name, (0, 0))
                of[name] = (before[0] + found, before[1] + total)
    rows = [
        (finding_type, *(f"{of[name][0]} of {of[name][1]}" if name in of else "-" for name in names))
        for finding_type, of in sorted(counts.items())
    ]
    return table(("finding type", *names), rows)


def misses(by_seed: Mapping[int, Result]) -> str:
    """Incidents that no finding tells of, by what they are and how they were done."""
    found: Counter[tuple[str, str]] = Counter()
    for verdict, _ in by_seed.values():
        for case in (case for case, seen in verdict.incidents.items() if not seen):
            attack = next(attack for attack, _ in verdict.attacks if attack.case == case)
            found[(attack.technique, "; ".join(attack.note.split("; ")[:4]))] += 1
    return table(("missed", "how", "times"), [(*what, times) for what, times in found.most_common()])


def false_alarms(by_seed: Mapping[int, Result]) -> str:
    """False findings by type and by what happened to whom they are about on that day."""
    found: Counter[tuple[str, str]] = Counter()
    for verdict, _ in by_seed.values():
        for alarm in verdict.false_alarms:
            found[(alarm.sighting.key.finding_type, alarm.harmless)] += 1
    return table(("told of", "what happened", "days"), [(*what, times) for what, times in found.most_common(30)])


def cost(results: Results) -> str:
    """What models cost: share of rows that reach one, rows a second, seconds of training."""
    rows = []
    for name, by_seed in results.items():
        outcomes = [outcome for _, outcome in by_seed.values() if outcome.scored]
        if outcomes:
            candidates, looked_at = sum(one.candidates for one in outcomes), sum(one.rows for one in outcomes)
            scored, took = sum(one.scored for one in outcomes), sum(one.scoring_s for one in outcomes)
            training = fmean(one.training_s / max(one.trainings, 1) for one in outcomes)
            rows.append((name, f"{candidates / looked_at:.1%}", f"{scored / took:,.0f}", f"{training:.1f} s"))
    return table(("model", "rows that reach it", "rows a second", "one training of all"), rows)


def plot(results: Results, path: Path) -> None:
    """Incidents found over false findings, a point for each variant and seed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for number, (name, by_seed) in enumerate(results.items()):
        axes.scatter(
            [verdict.per_account_week for verdict, _ in by_seed.values()],
            [verdict.incident_recall for verdict, _ in by_seed.values()],
            label=name,
            marker="osD^vP*X<>"[number % 10],
            s=60,
        )
    axes.axvline(1.0, color="grey", linestyle=":")
    axes.axhline(0.9, color="grey", linestyle=":")
    axes.set(xlabel="false findings an account and week", ylabel="share of incidents found", ylim=(0, 1.02))
    axes.set_xlim(left=0)
    axes.legend(loc="lower right", fontsize=8)
    figure.savefig(path)
