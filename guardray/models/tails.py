"""The upper tails of the features, of which the highest few count: the features are one-sided.

What ECOD does for unknown columns, for columns that are known to be unusual upwards only, and with a tail that goes on
where the rows that were learned end. An attack is new in a few ways. The other features of its row are as usual, and
summed up they would hide it.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from guardray.models.model import Matrix, Vector, as_matrix, shares
from guardray.models.tail_scale import TailScale

HIGHEST = 4
"""How many features of a row count: those with the highest surprisals."""


class Tails:
    """The sum of the highest surprisals of a row's features.

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
        if len(self.scales) > HIGHEST:
            least = np.partition(found, len(self.scales) - HIGHEST, axis=1)[:, [len(self.scales) - HIGHEST]]
            found[found < least] = 0.0
        return found
