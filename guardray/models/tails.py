"""Each feature's upper tail by itself, summed: the features are one-sided, so no lower tail is looked at.

What ECOD does for unknown columns, for columns that are known to be unusual upwards only, and with a tail that goes on
where the rows that were learned end.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from guardray.models.model import Matrix, Vector, as_matrix, shares
from guardray.models.tail_scale import TailScale


class Tails:
    """The sum of the features' surprisals, as if they were independent.

    Attributes:
        scales: one a feature, once fitted.
    """

    def __init__(self) -> None:
        self.scales: list[TailScale] = []

    def fit(self, features: Matrix) -> Self:
        self.scales = [TailScale().fit(column) for column in as_matrix(features).T]
        return self

    def score(self, features: Matrix) -> Vector:
        score: Vector = self._surprisals(features).sum(axis=1)
        return score

    def contributions(self, features: Matrix) -> Matrix:
        return shares(self._surprisals(features))

    def _surprisals(self, features: Matrix) -> Matrix:
        rows = as_matrix(features)
        found = np.empty_like(rows)
        for at, scale in enumerate(self.scales):
            found[:, at] = scale.surprisal(np.ascontiguousarray(rows[:, at]))
        return found
