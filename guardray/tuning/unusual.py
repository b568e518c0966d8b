"""What is unusual and why: rows of the archive beside the models of their account, as pandas frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from guardray.detectors.features import FeatureSpec
from guardray.models.back_test import anomalies
from guardray.models.family import Family
from guardray.models.model import as_matrix

if TYPE_CHECKING:
    import pandas as pd

WHOSE_SEPARATOR = "\x1f"
"""Between the columns that name who acts, where there are several."""

REASONS = 3
"""Features that a row's reasons name."""

_UPPER = 0.95


def unusual(family: Family, spec: FeatureSpec, rows: pl.DataFrame) -> pd.DataFrame:
    """Days of principals, the most unusual first, each by its most unusual row.

    Args:
        rows: of the archive.

    Returns:
        `account`, `whose`, `day`, `anomaly` (1.0 at the account's threshold), `flagged` (whether a finding told of it),
        `rows` (how many there are of the day) and `reasons`: the features that contributed most, in words.
    """
    scores = pl.Series("anomaly", anomalies(family, rows["account"], _matrix(spec, rows)))
    scored = rows.with_columns(scores.fill_nan(None)).filter(pl.col("anomaly").is_not_null())
    days = (
        scored.sort("anomaly", descending=True, maintain_order=True)
        .group_by("account", "whose", "day", maintain_order=True)
        .agg(pl.all().first(), pl.col("flagged").any().alias("told"), pl.len().alias("rows"))
    )
    shown = days.select("account", _whose(), "day", "anomaly", pl.col("told").alias("flagged"), "rows")
    return shown.with_columns(pl.Series("reasons", _reasons(family, spec, days), dtype=pl.String)).to_pandas()


def _reasons(family: Family, spec: FeatureSpec, rows: pl.DataFrame) -> list[str]:
    words = np.array([feature.words for feature in spec.features])
    return [
        "; ".join(words[at] for at in np.argsort(-shares, kind="stable")[:REASONS] if shares[at] > 0)
        for shares in _contributions(family, spec, rows)
    ]


def explained(family: Family, spec: FeatureSpec, rows: pl.DataFrame, at: pd.Series) -> pd.DataFrame:
    """One row's features: `value`, what it is `usually` (median) and `seldom` above (19 of 20 rows) in its account, its
    `share` in the anomaly, `unit` and `words`; the largest share first.

    Args:
        rows: of the archive, with the row in it.
        at: one row of what `unusual` gave.
    """
    of_account = rows.filter(pl.col("account") == at["account"])
    of_day = of_account.filter((_whose() == at["whose"]) & (pl.col("day") == at["day"]))
    row = of_day[int(np.nanargmax(anomalies(family, of_day["account"], _matrix(spec, of_day))))]
    features = of_account.select(spec.names)
    return (
        pl.DataFrame(
            {
                "feature": spec.names,
                "value": row.select(spec.names).row(0),
                "usually": features.median().row(0),
                "seldom above": features.quantile(_UPPER).row(0),
                "share": _contributions(family, spec, row)[0],
                "unit": [feature.unit for feature in spec.features],
                "words": [feature.words for feature in spec.features],
            }
        )
        .sort("share", descending=True, maintain_order=True)
        .to_pandas()
        .set_index("feature")
    )


def _contributions(family: Family, spec: FeatureSpec, rows: pl.DataFrame) -> np.ndarray:
    """Shares of each row, [n, features], 0 where there is no model for its account."""
    features, shares = _matrix(spec, rows), np.zeros((rows.height, len(spec.names)))
    for account in rows["account"].unique(maintain_order=True):
        one = family.of(account)
        if one is not None:
            at = (rows["account"] == account).to_numpy()
            shares[at] = family.contributions(one, features[at])
    return shares


def _whose() -> pl.Expr:
    return pl.col("whose").str.replace_all(WHOSE_SEPARATOR, " ", literal=True)


def _matrix(spec: FeatureSpec, rows: pl.DataFrame) -> np.ndarray:
    return as_matrix(rows.select(spec.names).to_numpy())
