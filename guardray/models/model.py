"""What a model is: it learns rows of features, and says of others how unusual they are.

Higher is more unusual, everywhere. A row's score depends on that row alone, never on the others of its batch: the same
events give the same findings however they were cut.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
"""Rows of features, [n, features]: C-contiguous, without NaN."""

Vector = npt.NDArray[np.float64]
"""A number a row, [n]."""


class Model(Protocol):
    """Two verbs, `fit` and `score`, and why."""

    def fit(self, features: Matrix) -> Self:
        """Learn what is usual from at least one row; what was learned before is forgotten."""

    def score(self, features: Matrix) -> Vector:
        """How unusual each row is; higher is more."""

    def contributions(self, features: Matrix) -> Matrix:
        """Which share each feature has in a row's score: [n, features], no negative ones, each row sums to 1."""


def as_matrix(features: npt.ArrayLike) -> Matrix:
    """Rows as models take them: numpy adds up rows in another order where they lie in memory in another order."""
    return np.ascontiguousarray(features, dtype=np.float64)


def shares(parts: Matrix) -> Matrix:
    """Parts of each row as shares that sum to 1: negative ones count as none, and where there is none all are equal."""
    positive = np.maximum(parts, 0.0)
    totals = positive.sum(axis=1, keepdims=True)
    even = np.full_like(positive, 1.0 / positive.shape[1])
    divided: Matrix = np.divide(positive, totals, out=even, where=totals > 0)
    return divided


def thinned(rows: Matrix, most: int) -> Matrix:
    """At most so many of the rows, evenly over all."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(np.int64)]


def drops(score: Callable[[Matrix], Vector], features: Matrix, usual: Vector) -> Matrix:
    """How much lower each row's score is with each feature as usual, as shares: for models that have no parts.

    It takes as many scores again as there are features.

    Args:
        score: of a model.
        usual: what each feature usually is, [features].
    """
    rows = as_matrix(features)
    whole = score(rows)
    lower = np.empty_like(rows)
    for at, value in enumerate(usual):
        changed = rows.copy()
        changed[:, at] = value
        lower[:, at] = whole - score(changed)
    return shares(lower)
