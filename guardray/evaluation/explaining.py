"""Whether models name what is unusual: of usual rows one feature is raised, and it should be the one named first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from guardray.detectors.features import FeatureSpec
from guardray.evaluation.report import table
from guardray.models.family import AccountModel, Family
from guardray.models.injection import SHARE, TIMES, UPPER
from guardray.models.model import Matrix, as_matrix

ROWS = 40
"""Usual rows that each feature is raised in."""

USUAL = 0.5
"""Share of an account's rows, those with the least surprisal, that count as usual."""


@dataclass(frozen=True)
class Explained:
    """How often a feature that was raised was named first.

    Attributes:
        spec, feature: what was raised.
        rows: in so many rows.
        named: so often it was named first.
    """

    spec: str
    feature: str
    rows: int
    named: int


def explained(family: Family, spec: FeatureSpec, rows: pl.DataFrame, *, seed: int = 0) -> list[Explained]:
    """Raise each feature by itself in usual rows of the account that has most of them, and ask why they are unusual.

    Args:
        rows: what `spec.measured` gave; of a `flagged` column, those that a finding told of are no usual rows.
    """
    usual = rows.filter(~pl.col("flagged")) if "flagged" in rows.columns else rows
    counts = usual[spec.whose[0]].drop_nulls().value_counts(sort=True)
    if counts.is_empty() or (one := family.of(account := counts.item(0, 0))) is None:
        return []
    features = as_matrix(usual.filter(pl.col(spec.whose[0]) == account).select(spec.names).to_numpy())
    return [
        Explained(spec.name, name, len(raised), int((_named_first(family, one, raised) == at).sum()))
        for at, name in enumerate(spec.names)
        if len(raised := _raised(spec, _usual(family, one, features), at, np.random.default_rng((seed, at))))
    ]


def _usual(family: Family, one: AccountModel, features: Matrix) -> Matrix:
    order = np.argsort(family.surprisal(one, features), kind="stable")
    return features[order[: max(int(len(order) * USUAL), 1)]]


def _raised(spec: FeatureSpec, usual: Matrix, at: int, drawn: np.random.Generator) -> Matrix:
    """Copies of usual rows with one feature as high as in an anomaly that is injected: [`ROWS`, features].

    None where each row has it as high already.
    """
    most = spec.features[at].most
    whole = max(float(np.quantile(usual[:, at], UPPER)), 1.0) if most is None else most
    least, greatest = TIMES if most is None else SHARE
    lower = usual[usual[:, at] < whole * least]
    rows = lower[drawn.integers(0, len(lower), ROWS)] if len(lower) else lower
    rows[:, at] = whole * drawn.uniform(least, greatest, len(rows))
    return as_matrix(rows)


def _named_first(family: Family, one: AccountModel, rows: Matrix) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """The feature with the largest share, the first of equal ones, as findings tell it: [n]."""
    first: np.ndarray[tuple[int], np.dtype[np.intp]] = family.contributions(one, rows).argmax(axis=1)
    return first


def share(found: Iterable[Explained]) -> float:
    """Of all rows, how many were explained by what was raised."""
    every = list(found)
    return sum(one.named for one in every) / sum(one.rows for one in every) if every else float("nan")


def explanations(by_model: Mapping[str, list[Explained]]) -> str:
    """For each model and kind of rows the share that was explained, and the features that were seldom named."""
    rows = []
    for model, found in by_model.items():
        for spec in dict.fromkeys(one.spec for one in found):
            of = [one for one in found if one.spec == spec]
            seldom = [f"`{one.feature}` {one.named / one.rows:.2f}" for one in of if one.named < 0.9 * one.rows]
            rows.append((model, spec, f"{share(of):.2f}", ", ".join(seldom) or "none"))
    return table(("model", "rows of", "what was raised is named first", "less often than 0.9"), rows)
