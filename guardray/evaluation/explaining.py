"""Whether models name what is unusual: of usual rows one feature is raised, and it should be the one named first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from guardray.detectors.features import FeatureSpec
from guardray.evaluation.markdown import table
from guardray.models.family import AccountModel, Family
from guardray.models.injection import SHARE, TIMES, UPPER
from guardray.models.model import Matrix, as_matrix

ROWS = 40
"""Usual rows that each feature is raised in."""

SELDOM = 0.9
"""Features that are named first less often are listed."""

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

    Features that have their greatest value in many of its rows are left out: it is nothing unusual there.

    Args:
        rows: what `spec.measured` gave; of a `flagged` column, those that a finding told of are no usual rows.
    """
    usual = rows.filter(~pl.col("flagged")) if "flagged" in rows.columns else rows
    counts = usual[spec.whose[0]].drop_nulls().value_counts(sort=True)
    if counts.is_empty() or (one := family.of(account := counts.item(0, 0))) is None:
        return []
    features = as_matrix(usual.filter(pl.col(spec.whose[0]) == account).select(spec.names).to_numpy())
    found, lower = [], _usual(family, one, features)
    for at, name in enumerate(spec.names):
        raised = _raised(spec, features, lower, at, np.random.default_rng((seed, at)))
        if len(raised):
            named = int((_named_first(family, one, raised) == at).sum())
            found.append(Explained(spec.name, name, len(raised), named))
    return found


def _usual(family: Family, one: AccountModel, features: Matrix) -> Matrix:
    order = np.argsort(family.surprisal(one, features), kind="stable")
    return features[order[: max(int(len(order) * USUAL), 1)]]


def _raised(spec: FeatureSpec, features: Matrix, usual: Matrix, at: int, drawn: np.random.Generator) -> Matrix:
    """Copies of usual rows with one feature as high as in an anomaly that is injected: [`ROWS`, features].

    None where as much is nothing unusual: one of the account's rows in a hundred has the greatest value there is.
    """
    most, reached = spec.features[at].most, float(np.quantile(features[:, at], UPPER))
    if most is None:
        least, greatest = (max(reached, 1.0) * times for times in TIMES)
    else:
        least, greatest = max(most * SHARE[0], reached), most * SHARE[1]
    lower = usual[usual[:, at] < least] if reached < greatest else usual[:0]
    rows = lower[drawn.integers(0, len(lower), ROWS)] if len(lower) else lower
    rows[:, at] = drawn.uniform(least, greatest, len(rows))
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
            of = _together([one for one in found if one.spec == spec])
            seldom = [f"`{one.feature}` {one.named / one.rows:.2f}" for one in of if one.named < SELDOM * one.rows]
            rows.append((model, spec, f"{share(of):.2f}", ", ".join(seldom) or "none"))
    return table(("model", "rows of", "what was raised is named first", f"less often than {SELDOM}"), rows)


def _together(found: Iterable[Explained]) -> list[Explained]:
    """Of several seeds, each feature once."""
    sums: dict[str, Explained] = {}
    for one in found:
        known = sums.get(one.feature, Explained(one.spec, one.feature, 0, 0))
        sums[one.feature] = Explained(one.spec, one.feature, known.rows + one.rows, known.named + one.named)
    return list(sums.values())
