"""How a rule and a model decide together: a model quietens what is usual here, and raises what no rule names."""

from __future__ import annotations

import polars as pl

CLEARLY_USUAL = 0.2
"""Anomaly below which a rule is not heard: a fifth of the account's threshold, in the scale of the tail of its scores.
Half of all rows that are new in any way are below it in simulated accounts, and hardly an attack that rules tell of."""


def decided(by_rule: pl.Expr, is_new: pl.Expr) -> pl.Expr:
    """Which rows are unusual, by a rule and by the account's model.

    Without a model the rule decides alone. A model quietens what is clearly usual here, and raises what is beyond its
    threshold where anything is new at all.

    Args:
        by_rule: the rows that are unusual by the rule.
        is_new: the rows that a model may raise.
    """
    anomaly = pl.col("anomaly")
    is_usual, is_beyond = (anomaly < CLEARLY_USUAL).fill_null(False), (anomaly >= 1.0).fill_null(False)
    return (by_rule.fill_null(False) & ~is_usual) | (is_new.fill_null(False) & is_beyond)


def ranked(points: pl.Expr) -> pl.Expr:
    """How much a row deserves to be told of: by its points, of equal ones by its model."""
    anomaly = pl.col("anomaly").fill_null(0.0).clip(0.0)
    return points + anomaly / (1 + anomaly)
