"""Ways to judge days: by rules alone, by one model alone, or as shipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Literal

import polars as pl

from guardray.dataflow.behaviour import Behaviour
from guardray.dataflow.scoring import FeatureRows
from guardray.dataflow.switching_off import Fuses
from guardray.detectors.decisions import CLEARLY_USUAL
from guardray.detectors.declare import ActivityDetector, Detector
from guardray.detectors.features import FeatureSpec, specs_of
from guardray.evaluation.observed import Observed
from guardray.evaluation.replay import replay
from guardray.findings.sighting import Sighting
from guardray.models.archive import Archive
from guardray.models.family import Family
from guardray.models.policy import Policy
from guardray.models.scorer import LocalScorer, ModelSet
from guardray.models.training import train
from guardray.shards.activities import ActivityTable

Decides = Literal["rules", "model", "both"]


@dataclass(frozen=True)
class Variant:
    """One way.

    Attributes:
        name: in tables.
        decides: rules alone; the model alone, for whatever is new at all; or both, as detectors have it.
        policy: of training, with the model by name.
        trained_on: after which days models are trained anew.
    """

    name: str
    decides: Decides
    policy: Policy = field(default_factory=Policy)
    trained_on: tuple[int, ...] = (14, 21)


@dataclass
class Outcome:
    """What a variant told of, and what it cost.

    Attributes:
        rows: that were looked at by detectors with models, over all days.
        candidates: of these, the rows that models were asked about.
        scoring_s, training_s: seconds of this process.
        scored: rows that models scored.
        trainings: how often models were trained.
    """

    sightings: list[Sighting] = field(default_factory=list)
    rows: int = 0
    candidates: int = 0
    scored: int = 0
    scoring_s: float = 0.0
    training_s: float = 0.0
    trainings: int = 0
    families: dict[str, Family] = field(default_factory=dict)
    features: dict[str, pl.DataFrame] = field(default_factory=dict)


def run(variant: Variant, observed: Observed, detectors: Sequence[Detector], start: datetime, days: int) -> Outcome:
    """Judge all days of `observed` one after the other, models learning of the days before only."""
    with TemporaryDirectory(prefix="guardray-evaluation-") as folder:
        runner = _Runner(variant, detectors, start, Archive(Path(folder)))
        outcome = runner.outcome
        outcome.sightings = replay(observed, detectors, start, days, runner.behaviour, runner.after_day)
        outcome.rows = sum(rows.height for name, rows in observed.activities.items() if name in runner.activities)
    return outcome


class _Runner:
    """Trains and scores while days go by."""

    def __init__(self, variant: Variant, detectors: Sequence[Detector], start: datetime, archive: Archive) -> None:
        self._variant, self._start, self._archive = variant, start, archive
        self._specs = specs_of(detectors)
        self.activities = {spec.activity.name for spec in self._specs}
        self._rows = FeatureRows()
        self.outcome = Outcome()
        self._scorer = _Timed(variant.decides, self.outcome)

    def behaviour(self, of: Sequence[ActivityDetector], tables: dict[str, ActivityTable]) -> Behaviour:
        scorer = None if self._variant.decides == "rules" else self._scorer
        return Behaviour(of, tables, Fuses(lambda _: None), scorer, self._rows)

    def after_day(self, day: int, judge: Behaviour) -> None:
        for name, rows in self._rows.drain().items():
            spec = next(one for one in self._specs if one.name == name)
            self.outcome.candidates += rows.height
            known = self.outcome.features.get(name)
            self.outcome.features[name] = rows if known is None else pl.concat([known, rows])
            self._archive.add(spec, rows)
        if day in self._variant.trained_on and self._variant.decides != "rules":
            began = perf_counter()
            self._train((self._start + timedelta(days=day - 1)).date(), day)
            self.outcome.training_s += perf_counter() - began
            self.outcome.trainings += 1

    def _train(self, until: date, day: int) -> None:
        of = partial(train, self._archive, policy=self._variant.policy, until=until, families=len(self._specs))
        families = {spec.name: found.family for spec in self._specs if (found := of(spec)) is not None}
        self.outcome.families = families
        self._scorer.models = LocalScorer(ModelSet(families, dict.fromkeys(families, f"day {day}")))


class _Timed:
    """A scorer that counts, and that lets the model decide alone where that is asked for."""

    def __init__(self, decides: Decides, outcome: Outcome) -> None:
        self.models: LocalScorer | None = None
        self._decides, self._outcome = decides, outcome

    @property
    def version(self) -> str:
        return "none" if self.models is None else self.models.version

    def score(self, spec: FeatureSpec, rows: pl.DataFrame) -> pl.DataFrame:
        scorer = self.models or LocalScorer(ModelSet({}, {}))
        began = perf_counter()
        found = scorer.score(spec, rows)
        self._outcome.scoring_s += perf_counter() - began
        self._outcome.scored += rows.height
        if self._decides == "both":
            return found
        # Below what is clearly usual a rule is not heard; what is beyond the threshold is told of without it.
        quiet = pl.when(pl.col("anomaly") < 1).then(pl.min_horizontal("anomaly", pl.lit(CLEARLY_USUAL / 2)))
        return found.with_columns(quiet.otherwise(pl.col("anomaly").fill_null(0.0)).alias("anomaly"))
