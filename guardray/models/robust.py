"""The simple baseline that other models have to beat: how many deviations each feature lies above its median."""

from __future__ import annotations

from typing import Self

import numpy as np

from guardray.models.model import Matrix, Vector, as_matrix, shares

UPPER = 0.9
"""The quantile whose distance from the median stands for the spread. Most features of most rows are 0, so that the
median absolute deviation is 0 as well."""

UPPER_DEVIATIONS = 1.2815515655446004
"""How many standard deviations the quantile `UPPER` of a normal distribution lies above its median."""

UTMOST, LEAST_SPREAD = 0.99, 0.05
"""Of the distance of the quantile `UTMOST` from the median, at least this share counts as one deviation; and 1 where
there is none. What was always 0 is not infinitely unusual."""

MOST_DEVIATIONS = 20.0
"""More deviations count as so many, so that one feature does not drown the others."""


class Robust:
    """Root of the sum of squared deviations above the median.

    Attributes:
        centre, spread: [features], once fitted.
    """

    def __init__(self) -> None:
        self.centre = np.zeros(0)
        self.spread = np.ones(0)

    def fit(self, features: Matrix) -> Self:
        rows = as_matrix(features)
        self.centre = np.median(rows, axis=0)
        upper = np.quantile(rows, UPPER, axis=0) - self.centre
        mad = np.median(np.abs(rows - self.centre), axis=0) * 1.4826
        utmost = np.quantile(rows, UTMOST, axis=0) - self.centre
        least = np.where(utmost > 0, utmost * LEAST_SPREAD, 1.0)
        self.spread = np.maximum.reduce([upper / UPPER_DEVIATIONS, mad, least])
        return self

    def score(self, features: Matrix) -> Vector:
        score: Vector = np.sqrt((self.deviations(features) ** 2).sum(axis=1))
        return score

    def contributions(self, features: Matrix) -> Matrix:
        return shares(self.deviations(features) ** 2)

    def deviations(self, features: Matrix) -> Matrix:
        """How far each feature lies above its median: [n, features], 0 to `MOST_DEVIATIONS`."""
        deviations = (as_matrix(features) - self.centre) / self.spread
        return np.clip(deviations, 0.0, MOST_DEVIATIONS)
