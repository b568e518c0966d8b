"""Several models as one: the mean of their scores, each on the scale of how seldom one as high was seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from guardray.models.model import Matrix, Model, Vector, as_matrix
from guardray.models.tail_scale import TailScale


class Combined:
    """The mean of its members' surprisals.

    Args:
        models: its members.
        telling: how many of the first of them say which features count. Others can only be asked by scoring rows
            again with each feature changed.

    Attributes:
        scales: of the members' scores, once fitted.
    """

    def __init__(self, models: Sequence[Model], telling: int) -> None:
        self.models = list(models)
        self.telling = telling
        self.scales: list[TailScale] = []

    def fit(self, features: Matrix) -> Self:
        rows = as_matrix(features)
        self.scales = [TailScale().fit(model.fit(rows).score(rows)) for model in self.models]
        return self

    def score(self, features: Matrix) -> Vector:
        rows = as_matrix(features)
        members = zip(self.models, self.scales, strict=True)
        return self._mean([scale.surprisal(model.score(rows)) for model, scale in members])

    def contributions(self, features: Matrix) -> Matrix:
        rows = as_matrix(features)
        return self._mean([model.contributions(rows) for model in self.models[: self.telling]])

    @staticmethod
    def _mean(parts: Sequence[Matrix]) -> Matrix:
        # One after the other: in which order numpy would add them up depends on how many rows there are.
        total = np.zeros_like(parts[0])
        for part in parts:
            total += part
        return total / len(parts)
