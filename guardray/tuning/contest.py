"""Models tried on the same days: learned on those before, judged on those after, beside attacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from guardray.detectors.features import FeatureSpec
from guardray.errors import UsageError
from guardray.evaluation.judging import Labels
from guardray.models.archive import FLAGGED, Archive
from guardray.models.back_test import anomalies
from guardray.models.injection import inject
from guardray.models.model import Vector, as_matrix
from guardray.models.policy import Policy
from guardray.models.training import keep, train
from guardray.tuning.curves import curve, within
from guardray.tuning.unusual import WHOSE_SEPARATOR
from guardray.tuning.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

_DAYS = ["account", "whose", "day"]

LEAST_LABELLED = 3
"""Attacks on the days that are judged, below which injected ones are taken: of one or two there is no curve."""


class _Kept(Archive):
    """Rows in memory, so that trials may run where the folder is not."""

    def __init__(self, rows: pl.DataFrame, watched: Mapping[str, date], share: float) -> None:
        super().__init__(Path())
        self._rows, self._watched, self._share = rows, dict(watched), share

    def read(
        self, spec: FeatureSpec, *, since: date | None = None, until: date | None = None, account: str | None = None
    ) -> pl.DataFrame:
        chosen = self._rows.filter(
            pl.lit(True) if since is None else pl.col("day") >= since,
            pl.lit(True) if until is None else pl.col("day") <= until,
        )
        return chosen if account is None else chosen.filter(pl.col("account") == account)

    def watched_since(self) -> dict[str, date]:
        return self._watched

    def share(self, spec: FeatureSpec) -> float:
        return self._share


@dataclass(frozen=True)
class Tried:
    """How a model did.

    Attributes:
        recall, precision, false: within the budget, at the threshold that finds most.
        recall_kept, false_kept: at the threshold that training drew.
        budget: findings an account and week that may be wrong, of this kind of rows.
        curve: all thresholds, as `guardray.tuning.curves.curve` has them.
    """

    recall: float
    precision: float
    false: float
    recall_kept: float
    false_kept: float
    budget: float
    curve: pd.DataFrame


@dataclass(frozen=True)
class Contest:
    """What all models are tried on. It may travel to other machines.

    Attributes:
        spec: what models see.
        rows: of the archive, all days.
        split: the last day that is learned; those after it are judged.
        days: how many these are.
        watched: since when each account is.
        share: of all that the archive keeps.
        families: how many kinds share the budget.
        attacks: rows that attacks made, `account`, `whose`, `day` and `case`; None: nobody knows them, and anomalies
            are injected.
        attacks_a_week: how many attacks an account is taken to have a week.
    """

    spec: FeatureSpec
    rows: pl.DataFrame
    split: date
    days: int
    watched: Mapping[str, date]
    share: float
    families: int
    attacks: pl.DataFrame | None
    attacks_a_week: float

    @classmethod
    def of(cls, place: Workspace, kind: str, *, days: int = 7, attacks_a_week: float = 0.25) -> Contest:
        """The latest days of an archive.

        Args:
            place: where it is.
            kind: of rows.
            days: that are judged.
            attacks_a_week: of an account, for the precision. Simulated accounts have many more than real ones.

        Raises:
            UsageError: there are no days to learn besides.
        """
        spec, archive = place.specs[kind], place.archive
        kept = archive.days(spec)
        if not kept or kept[-1] - kept[0] <= timedelta(days=days):
            raise UsageError(f"{kind}: the archive has no more than the {days} days that are to be judged")
        split, rows = kept[-1] - timedelta(days=days), archive.read(spec)
        attacks = None if place.labels is None else _attacked(rows, Labels.read(place.labels))
        if attacks is not None and attacks.filter(pl.col("day") > split)["case"].n_unique() < LEAST_LABELLED:
            attacks = None
        share = archive.share(spec)
        return cls(spec, rows, split, days, archive.watched_since(), share, len(place.specs), attacks, attacks_a_week)

    @property
    def judged_by(self) -> str:
        """What recall is of, in words."""
        if self.attacks is None:
            return "injected anomalies"
        judged = self.attacks.filter(pl.col("day") > self.split)
        return f"{judged['case'].n_unique()} attacks"

    def tried(self, policy: Policy) -> Tried:
        """How a model of this policy does, that has learned the days up to `split`.

        Raises:
            UsageError: there is no such model, or nothing could be learned.
        """
        archive = _Kept(self.rows, self.watched, self.share)
        candidate = train(archive, self.spec, policy, until=self.split, families=self.families)
        if candidate is None:
            raise UsageError(f"{self.spec.name}: there were no rows to learn")
        judged = self.rows.filter(pl.col("day") > self.split)
        features = as_matrix(judged.select(self.spec.names).to_numpy())
        scores = np.nan_to_num(anomalies(candidate.family, judged["account"], features))
        scored = judged.select(*_DAYS, FLAGGED).with_columns(pl.Series("anomaly", scores))
        usual = self._usual(scored)
        if self.attacks is None:
            made = inject(self.spec, features[~judged[FLAGGED].to_numpy()], policy.injected, policy.seed)
            of = judged.filter(~pl.col(FLAGGED))["account"][made.at]
            attacks: Vector = np.nan_to_num(anomalies(candidate.family, of, made.features))
        else:
            attacks = _highest(scored.join(self.attacks, on=_DAYS), "case")
        weeks = self.rows["account"].n_unique() * self.days / 7
        found = curve(usual, attacks, weeks, self.attacks_a_week)
        budget, drawn = candidate.card.budget, found[found["threshold"] >= 1].iloc[-1]
        best = within(found, budget)
        return Tried(best["recall"], best["precision"], best["false"], drawn["recall"], drawn["false"], budget, found)

    def _usual(self, scored: pl.DataFrame) -> Vector:
        """The harmless days of principals: without attacks, or where nobody knows them, without what was told of."""
        if self.attacks is None:
            return _highest(scored.filter(~pl.col(FLAGGED)), *_DAYS)
        return _highest(scored.join(self.attacks, on=_DAYS, how="anti"), *_DAYS)

    def trial(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The same for Ray Tune: attributes of a policy by name, to numbers and lists."""
        found = self.tried(Policy(**config))
        numbers = {name: float(getattr(found, name)) for name in _NUMBERS}
        return {**numbers, "curve": found.curve.to_dict("list")}


_NUMBERS = ("recall", "precision", "false", "recall_kept", "false_kept", "budget")


def _highest(scored: pl.DataFrame, *by: str) -> Vector:
    return scored.group_by(by).agg(pl.col("anomaly").max())["anomaly"].sort().to_numpy()


def _attacked(rows: pl.DataFrame, labels: Labels) -> pl.DataFrame:
    """The days of principals on which they were part of an attack: `account`, `whose`, `day` and `case`, each once."""
    named = rows.select(_DAYS).unique().with_columns(pl.col("whose").str.split(WHOSE_SEPARATOR).alias("entity"))
    attacks = pl.DataFrame(
        [(one.account, list(one.entity), one.start.date(), one.end.date(), one.case) for one in labels.attacks],
        schema={
            "account": pl.String,
            "entity": pl.List(pl.String),
            "first": pl.Date,
            "last": pl.Date,
            "case": pl.String,
        },
        orient="row",
    )
    both = named.explode("entity").join(attacks.explode("entity"), on=["account", "entity"])
    return both.filter(pl.col("day").is_between("first", "last")).select(*_DAYS, "case").unique().sort(*_DAYS, "case")


def promoted(place: Workspace, kind: str, policy: Policy, *, at: datetime, by: str, reason: str) -> pd.DataFrame:
    """Train on all days, keep it as a version and put it in force, whatever its own trial says.

    Returns:
        What `Workspace.versions` gives.

    Raises:
        UsageError: there is nothing to learn.
        ModelError: it cannot be kept.
    """
    spec, registry, kept = place.specs[kind], place.registry, place.archive.days(place.specs[kind])
    found = train(place.archive, spec, policy, until=kept[-1], families=len(place.specs)) if kept else None
    if found is None:
        raise UsageError(f"{kind}: there are no rows to learn")
    keep(registry, found, policy, at=at)
    registry.promote(kind, found.card.version, at=at, by=by, reason=reason)
    return place.versions(kind)
