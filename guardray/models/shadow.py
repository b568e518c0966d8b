"""A candidate beside the version in force: what it would tell of that the other does not, and the other way round."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from guardray.detectors.features import FeatureSpec
from guardray.models.back_test import would_find
from guardray.models.family import Family
from guardray.models.scorer import Scorer

APPEARS, VANISHES, STAYS = "appears", "vanishes", "stays"

KEPT = 1_000
"""Differing rows that a shadow remembers; further ones are counted only."""


def differences(live: Family, candidate: Family, spec: FeatureSpec, rows: pl.DataFrame) -> pl.DataFrame:
    """The principals' days that either would tell of.

    Args:
        rows: of the archive.

    Returns:
        `account`, `whose`, `day`, `live` and `candidate` (the highest anomaly, null below 1) and `change`: whether a
        finding appears with the candidate, vanishes, or stays. In the order of accounts, days and who acts.
    """
    keys = ["account", "whose", "day"]
    before = would_find(live, spec, rows).rename({"anomaly": "live"})
    after = would_find(candidate, spec, rows).rename({"anomaly": "candidate"})
    both = before.join(after, on=keys, how="full", coalesce=True)
    return both.with_columns(_change("live", "candidate")).sort("account", "day", "whose")


def _change(live: str, candidate: str) -> pl.Expr:
    return (
        pl.when(pl.col(live).is_null())
        .then(pl.lit(APPEARS))
        .when(pl.col(candidate).is_null())
        .then(pl.lit(VANISHES))
        .otherwise(pl.lit(STAYS))
        .alias("change")
    )


@dataclass
class ShadowScorer:
    """Answers as the models in force do, and asks a candidate as well.

    Attributes:
        live, candidate: both scorers.
        counts: rows that appear, vanish or stay beyond the threshold, by spec.
        rows: the first of those that differ, by spec: whose they are, `digest`, `live`, `candidate` and `change`.
    """

    live: Scorer
    candidate: Scorer
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    rows: dict[str, pl.DataFrame] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Of the models in force: a shadow changes no finding."""
        return self.live.version

    def score(self, spec: FeatureSpec, rows: pl.DataFrame) -> pl.DataFrame:
        answer = self.live.score(spec, rows)
        asked = self.candidate.score(spec, rows)
        self._note(spec, rows, answer["anomaly"], asked["anomaly"])
        return answer

    def _note(self, spec: FeatureSpec, rows: pl.DataFrame, live: pl.Series, candidate: pl.Series) -> None:
        told = [name for name in (*spec.whose, "window_start", "digest") if name in rows.columns]
        beside = rows.select(told).with_columns(live.alias("live"), candidate.alias("candidate"))
        beyond = [pl.when(pl.col(name) >= 1).then(pl.col(name)).alias(name) for name in ("live", "candidate")]
        found = beside.with_columns(beyond).filter(pl.col("live").is_not_null() | pl.col("candidate").is_not_null())
        found = found.with_columns(_change("live", "candidate"))
        counts = self.counts.setdefault(spec.name, dict.fromkeys((APPEARS, VANISHES, STAYS), 0))
        for change, many in found["change"].value_counts().iter_rows():
            counts[change] += many
        kept = self.rows.get(spec.name, found.clear())
        self.rows[spec.name] = pl.concat([kept, found.filter(pl.col("change") != STAYS)]).head(KEPT)
