"""Recall and precision at every threshold that a model could have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from guardray.models.model import Vector

if TYPE_CHECKING:
    import pandas as pd


def curve(usual: Vector, attacks: Vector, account_weeks: float, attacks_a_week: float) -> pd.DataFrame:
    """What each threshold would come to, from the highest on.

    Args:
        usual: scores of the days of principals that were harmless, one a principal and day.
        attacks: scores of attacks, one each.
        account_weeks: in which the usual ones were.
        attacks_a_week: how many attacks an account has a week, for the precision.

    Returns:
        `threshold`, `false` (findings an account and week that are wrong), `recall` (share of attacks that are found),
        and `precision` (share of findings that are right; none at all are taken for right).
    """
    thresholds = np.unique(np.concatenate([usual, attacks, [1.0]]))[::-1]
    false = _at_least(usual, thresholds) / account_weeks
    recall = _at_least(attacks, thresholds) / max(len(attacks), 1)
    right = recall * attacks_a_week
    told = right + false
    precision = np.divide(right, told, out=np.ones_like(told), where=told > 0)
    columns = {"threshold": thresholds, "false": false, "recall": recall, "precision": precision}
    return pl.DataFrame(columns).to_pandas()


def _at_least(scores: Vector, thresholds: Vector) -> Vector:
    """How many scores reach each threshold."""
    reaching: Vector = (len(scores) - np.searchsorted(np.sort(scores), thresholds, side="left")).astype(np.float64)
    return reaching


def within(of: pd.DataFrame, budget: float) -> pd.Series:
    """The row of a curve that finds most, of those with at most `budget` wrong findings an account and week."""
    affordable = of[of["false"] <= budget]
    return affordable.iloc[-1] if len(affordable) else of.iloc[0] * 0
