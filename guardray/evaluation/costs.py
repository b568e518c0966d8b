"""What models of behaviour cost: bytes of what is remembered, and time and memory of training and scoring.

`python -m guardray.evaluation.costs DIR` measures a baseline that `guardray train --baseline DIR` made: its habits, a
training of what it keeps to learn from, and scores of the same rows, on one core. Which share of rows reaches a model
is told by the evaluation.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import polars as pl

from guardray.dataflow.baseline import Baseline
from guardray.detectors.activity import Activity
from guardray.detectors.declare import ActivityDetector, activities_of
from guardray.detectors.features import FeatureSpec, specs_of
from guardray.detectors.loader import load_detectors
from guardray.evaluation.markdown import table
from guardray.models.archive import FOLDER, Archive
from guardray.models.policy import Policy
from guardray.models.scorer import LocalScorer, ModelSet
from guardray.models.training import train

BATCH = 256
"""Rows that are scored at once: about those of a day with a few hundred principals."""

_MEGABYTE = 1 << 20


@dataclass(frozen=True)
class ProfileSize:
    """What is remembered of one activity.

    Attributes:
        actors: who have habits of their own.
        own: bytes of tables that are kept by actor, and `shared` of the others: of peers and accounts.
        text: share of `own` that is names: of accounts, actors, operations and other values.
        largest: tables kept by actor and their bytes, the largest first.
    """

    activity: str
    actors: int
    own: int
    shared: int
    text: float
    largest: tuple[tuple[str, int], ...]


def profile_sizes(baseline: Baseline, activities: Iterable[Activity]) -> list[ProfileSize]:
    """How much memory each activity's habits take; those of which nothing is known are left out."""
    found = []
    for activity in activities:
        name = f"activities/{activity.name}/"
        frames = {
            key.removeprefix(name): pl.DataFrame(of) for key, of in baseline.tables.items() if key.startswith(name)
        }
        own = {key: frame for key, frame in frames.items() if set(activity.actors) <= set(frame.columns)}
        actors = max((frame.select(activity.actors).n_unique() for frame in own.values()), default=0)
        if not actors:
            continue
        sizes = {key: int(frame.estimated_size()) for key, frame in own.items()}
        text = sum(column.estimated_size() for frame in own.values() for column in frame if column.dtype == pl.String)
        shared = sum(int(frame.estimated_size()) for key, frame in frames.items() if key not in own)
        largest = tuple(sorted(sizes.items(), key=lambda item: -item[1]))
        total = sum(sizes.values())
        found.append(ProfileSize(activity.name, actors, total, shared, text / max(total, 1), largest))
    return found


@dataclass(frozen=True)
class ModelCost:
    """What the models of one spec take.

    Attributes:
        rows, accounts: that are kept to learn from.
        training_s: seconds of one core of a training with its trial.
        training_bytes: of memory at most, above what the process had before.
        rows_a_second: that are scored and explained on one core.
    """

    spec: str
    rows: int
    accounts: int
    training_s: float
    training_bytes: int
    rows_a_second: float


def model_costs(archive: Path, specs: Iterable[FeatureSpec], policy: Policy) -> list[ModelCost]:
    """Each spec in a process of its own, since the most memory of one is known of the whole process only."""
    found = []
    for spec in specs:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            cost = pool.submit(model_cost, archive, spec.name, policy).result()
        found += [] if cost is None else [cost]
    return found


def model_cost(folder: Path, name: str, policy: Policy) -> ModelCost | None:
    """Measure one in this process; None where there is nothing to learn from."""
    spec = next(one for one in specs_of(load_detectors()) if one.name == name)
    archive = Archive(folder)
    rows = archive.read(spec)
    if rows.is_empty():
        return None
    had, began = _most_bytes(), time.process_time()
    candidate = train(archive, spec, policy, until=rows["day"].max())  # type: ignore[arg-type]
    took, taken = time.process_time() - began, _most_bytes() - had
    if candidate is None:
        return None
    scorer = LocalScorer(ModelSet({spec.name: candidate.family}))
    asked = rows.rename({"account": spec.whose[0]})
    began = time.process_time()
    for at in range(0, asked.height, BATCH):
        scorer.score(spec, asked[at : at + BATCH])
    scored = asked.height / max(time.process_time() - began, 1e-9)
    return ModelCost(spec.name, rows.height, rows["account"].n_unique(), took, taken, scored)


def _most_bytes() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def tables(profiles: Iterable[ProfileSize], costs: Iterable[ModelCost]) -> str:
    """Both in Markdown."""
    remembered = [
        (
            one.activity,
            one.actors,
            f"{one.own / one.actors:,.0f}",
            f"{one.text:.0%}",
            ", ".join(f"`{name}` {size / one.actors:,.0f}" for name, size in one.largest[:3]),
            f"{one.shared:,}",
        )
        for one in profiles
    ]
    models = [
        (
            one.spec,
            f"{one.rows:,}",
            one.accounts,
            f"{one.training_s / one.accounts:.1f} s",
            f"{one.training_bytes / one.accounts / _MEGABYTE:.0f} MB",
            f"{one.rows_a_second:,.0f}",
        )
        for one in costs
    ]
    head = ("remembered of", "actors", "bytes an actor", "of it names", "most of it", "bytes of peers and accounts")
    trained = (
        "models of",
        "rows kept",
        "accounts",
        "training, an account",
        "memory, an account",
        "rows scored a second",
    )
    return f"{table(head, remembered)}\n\n{table(trained, models)}"


def measured(folder: Path, policy: Policy) -> tuple[list[ProfileSize], list[ModelCost]]:
    """Both, of a baseline.

    Raises:
        SnapshotError: the folder is no baseline.
    """
    detectors = load_detectors()
    activities = activities_of(one for one in detectors if isinstance(one, ActivityDetector))
    learning = [one for one in activities if one.learns]
    sizes = profile_sizes(Baseline.open(folder), learning)
    return sizes, model_costs(folder / FOLDER, specs_of(detectors), policy)


def main(arguments: list[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m guardray.evaluation.costs", description=__doc__)
    parser.add_argument("baseline", type=Path, help="folder that `guardray train --baseline` wrote")
    parser.add_argument("--model", default=Policy().model, help="model by name")
    options = parser.parse_args(arguments)
    print(tables(*measured(options.baseline, Policy(model=options.model))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
