"""What a model is: it learns rows of features, and says of others how unusual they are.

Higher is more unusual, everywhere. A row's score depends on that row alone, never on the others of its batch: the same
events give the same findings however they were cut.
"""

from __future__ import annotations

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
