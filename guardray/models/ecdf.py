"""ECOD and COPOD: how far out a row lies in the empirical distribution of each feature.

pyod ranks the rows that it is asked about among each other as well, so that its scores depend on the batch. Here each
row is ranked among the rows that were learned and itself, which is what pyod says of a batch of one.

Source: Li et al. 2022, ECOD; Li et al. 2020, COPOD; as pyod 3 computes them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

import numpy as np

from guardray.models.model import Matrix, Vector, as_matrix, shares


class _Empirical(ABC):
    """Sums, over the features, of the negative logarithm of a tail's share.

    Attributes:
        columns: the rows that were learned, each feature sorted by itself: [features, rows].
        mean, second, third: of each feature: the mean, and the sums of squared and cubed deviations from it.
    """

    def __init__(self) -> None:
        self.columns = np.zeros((0, 0))
        self.mean = self.second = self.third = np.zeros(0)

    def fit(self, features: Matrix) -> Self:
        rows = as_matrix(features)
        self.columns = np.ascontiguousarray(np.sort(rows, axis=0).T)
        self.mean = rows.mean(axis=0)
        deviations = rows - self.mean
        self.second = (deviations**2).sum(axis=0)
        self.third = (deviations**3).sum(axis=0)
        return self

    def score(self, features: Matrix) -> Vector:
        score: Vector = self._parts(features).sum(axis=1)
        return score

    def contributions(self, features: Matrix) -> Matrix:
        return shares(self._parts(features))

    @abstractmethod
    def _of(self, lower: Matrix, upper: Matrix, skewed: Matrix) -> Matrix:
        """What counts of each value: its lower tail, its upper one, or the one that the feature is skewed to."""

    def _parts(self, features: Matrix) -> Matrix:
        rows = as_matrix(features)
        lower, upper = np.empty_like(rows), np.empty_like(rows)
        n = self.columns.shape[1]
        for at, column in enumerate(self.columns):
            lower[:, at] = np.searchsorted(column, rows[:, at], side="right")
            upper[:, at] = n - np.searchsorted(column, rows[:, at], side="left")
        lower, upper = -np.log((lower + 1) / (n + 1)), -np.log((upper + 1) / (n + 1))
        skew = self._skew(rows)
        skewed = lower * (skew <= 0) + upper * (skew >= 0)
        return self._of(lower, upper, skewed)

    def _skew(self, rows: Matrix) -> Matrix:
        """To which side each feature is skewed with the row among the others: -1, 0 or 1."""
        n = self.columns.shape[1]
        delta = rows - self.mean
        second = self.second + delta**2 * n / (n + 1)
        third = self.third + delta**3 * n * (n - 1) / (n + 1) ** 2 - 3 * delta * self.second / (n + 1)
        constant = second / (n + 1) <= (np.finfo(np.float64).eps * (self.mean + delta / (n + 1))) ** 2
        return np.where(constant, 0.0, np.sign(third))


class Ecod(_Empirical):
    """The further of both tails, or both where the feature is not skewed."""

    def _of(self, lower: Matrix, upper: Matrix, skewed: Matrix) -> Matrix:
        return np.maximum(np.maximum(lower, upper), skewed)


class Copod(_Empirical):
    """The tail that the feature is skewed to, or the mean of both where that is more."""

    def _of(self, lower: Matrix, upper: Matrix, skewed: Matrix) -> Matrix:
        return np.maximum(skewed, (lower + upper) / 2)
