"""How a family of models does on days that are over: what it would have told of, and what it would have found."""

from __future__ import annotations

import numpy as np
import polars as pl

from guardray.detectors.features import FeatureSpec
from guardray.models.card import BackTest
from guardray.models.family import Family
from guardray.models.injection import inject
from guardray.models.model import Matrix, Vector, as_matrix


def anomalies(family: Family, accounts: pl.Series, features: Matrix) -> Vector:
    """What the family says of each row: NaN where it has no model for the account. Float64 [n]."""
    found = np.full(len(features), np.nan)
    for account in accounts.unique(maintain_order=True).drop_nulls():
        one = family.of(account)
        if one is not None:
            at = (accounts == account).fill_null(False).to_numpy()
            found[at] = family.anomaly(one, features[at])
    return found


def would_find(family: Family, spec: FeatureSpec, rows: pl.DataFrame) -> pl.DataFrame:
    """The principals' days that it would have told of: `account`, `whose`, `day` and the highest `anomaly`.

    Args:
        rows: of the archive.
    """
    scored = rows.select("account", "whose", "day").with_columns(
        pl.Series("anomaly", anomalies(family, rows["account"], as_matrix(rows.select(spec.names).to_numpy())))
    )
    found = scored.filter(pl.col("anomaly").is_not_nan() & (pl.col("anomaly") >= 1))
    return found.group_by("account", "whose", "day").agg(pl.col("anomaly").max()).sort("account", "day", "whose")


def back_test(
    family: Family, spec: FeatureSpec, rows: pl.DataFrame, *, days: int, injected: int, seed: int
) -> BackTest | None:
    """Try a family on rows, and on anomalies made of them.

    Args:
        rows: of the archive, of days that the family has not learned, without those of useful findings.
        days: that they are of, days without rows among them.

    Returns:
        None where there are no rows to try it on.
    """
    if rows.is_empty():
        return None
    found = would_find(family, spec, rows)
    accounts = rows["account"].n_unique()
    made = inject(spec, as_matrix(rows.select(spec.names).to_numpy()), injected, seed)
    of = rows["account"][made.at]
    is_found = np.nan_to_num(anomalies(family, of, made.features)) >= 1
    return BackTest(
        days=days,
        accounts=accounts,
        findings_per_account_week=round(found.height * 7 / (accounts * days), 4),
        recall=round(float(is_found.mean()), 4) if injected else None,
        injected=injected,
        explained=_explained(family, of, made.features, made.changed, is_found),
    )


def _explained(
    family: Family, accounts: pl.Series, features: Matrix, changed: np.ndarray, is_found: np.ndarray
) -> float | None:
    """Of those that are found, how often the first contribution is a feature that was changed."""
    hits = np.zeros(len(features), np.bool_)
    for account in accounts.unique(maintain_order=True).drop_nulls():
        one = family.of(account)
        at = np.flatnonzero((accounts == account).to_numpy() & is_found)
        if one is not None and len(at):
            first = family.contributions(one, features[at]).argmax(axis=1)
            hits[at] = changed[at, first]
    return round(float(hits[is_found].mean()), 4) if is_found.any() else None
