"""What the dataflow asks: how unusual rows are for their account, and which features make them so."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Protocol

import numpy as np
import polars as pl

from guardray.detectors.features import FeatureSpec
from guardray.models.family import Family
from guardray.models.model import Matrix, as_matrix

TOLD = 5
"""Features that a row's contributions name at most."""

LEAST_SHARE = 0.01
"""Features with a lower share are not named."""

CONTRIBUTIONS = pl.List(pl.Struct({"feature": pl.String, "share": pl.Float64}))

EXPLAINED_FROM = 0.25
"""Anomaly from which on it is told what a row's score is made of: what is far below the threshold is told to nobody,
and some models have to score a row again for each of its features."""

COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {"anomaly": pl.Float64, "contributions": CONTRIBUTIONS}
"""What a scorer gives of each row, in the order of the rows."""

NO_MODELS = "none"
"""The version of a scorer that has none: nothing need be measured for it."""


class Scorer(Protocol):
    """Scores rows. The same rows get the same scores from the same version, in any batch and any process."""

    @property
    def version(self) -> str:
        """Names the models that answer; changes whenever one of them does."""

    def score(self, spec: FeatureSpec, rows: pl.DataFrame) -> pl.DataFrame:
        """How unusual rows are: `COLUMNS`, [n].

        `anomaly` is 1.0 at the account's threshold and null where there is no model for the account; `contributions`
        name at most `TOLD` features, the largest share first, and are empty where `anomaly` is null or below
        `EXPLAINED_FROM`.

        Args:
            rows: what `spec.measured` gave.
        """


class ModelSet:
    """The models that are in force, by spec.

    Args:
        families: by name of their spec.
        version: names them; None: a digest of all that they hold is not taken, so only one set may be without.
    """

    def __init__(self, families: Mapping[str, Family], versions: Mapping[str, str] | None = None) -> None:
        self.families = dict(families)
        self.versions = dict(versions) if versions is not None else dict.fromkeys(families, "unnamed")

    @property
    def version(self) -> str:
        """Of all of them together: 12 hexadecimal digits, or `none`."""
        if not self.versions:
            return NO_MODELS
        named = "\n".join(f"{name} {self.versions[name]}" for name in sorted(self.versions))
        return hashlib.blake2b(named.encode(), digest_size=6).hexdigest()

    def of(self, spec: FeatureSpec) -> Family | None:
        """The family of a spec; None where there is none, or one of another definition."""
        family = self.families.get(spec.name)
        return family if family is not None and family.definition == spec.definition else None


class LocalScorer:
    """Scores in this process."""

    def __init__(self, models: ModelSet) -> None:
        self._models = models
        self.version = models.version

    def score(self, spec: FeatureSpec, rows: pl.DataFrame) -> pl.DataFrame:
        family = self._models.of(spec)
        if family is None or rows.is_empty():
            return _unscored(rows.height)
        features = as_matrix(spec.frame(rows).to_numpy())
        accounts = rows[spec.whose[0]]
        anomaly = np.full(rows.height, np.nan)
        shares = np.zeros_like(features)
        for account in accounts.unique(maintain_order=True).drop_nulls():
            one = family.of(account)
            if one is None:
                continue
            at = np.flatnonzero((accounts == account).fill_null(False).to_numpy())
            anomaly[at] = family.anomaly(one, features[at])
            told = at[anomaly[at] >= EXPLAINED_FROM]
            if len(told):
                shares[told] = family.contributions(one, features[told])
        return pl.DataFrame(
            {"anomaly": pl.Series(anomaly).fill_nan(None), "contributions": _told(spec.names, shares)}, schema=COLUMNS
        )


def _unscored(rows: int) -> pl.DataFrame:
    empty = pl.Series("contributions", [[]], dtype=CONTRIBUTIONS).new_from_index(0, rows)
    return pl.DataFrame({"anomaly": pl.Series([None] * rows, dtype=pl.Float64), "contributions": empty}, schema=COLUMNS)


def _told(names: tuple[str, ...], shares: Matrix) -> pl.Series:
    """The largest shares of each row, with their features' names: `CONTRIBUTIONS`, [n]."""
    rows = len(shares)
    kept = min(TOLD, len(names))
    order = np.argsort(-shares, axis=1, kind="stable")[:, :kept]
    largest = np.round(np.take_along_axis(shares, order, axis=1), 4)
    flat = pl.DataFrame(
        {
            "row": np.repeat(np.arange(rows), kept),
            "feature": pl.Series(names)[order.ravel()],
            "share": largest.ravel(),
        }
    )
    told = flat.filter(pl.col("share") >= LEAST_SHARE).group_by("row", maintain_order=True)
    lists = told.agg(pl.struct("feature", "share").alias("contributions"))
    every = pl.DataFrame({"row": np.arange(rows)}).join(lists, on="row", how="left", maintain_order="left")
    return every["contributions"].fill_null([]).cast(CONTRIBUTIONS)
