"""LODA: how thinly populated the bins are that a row falls into, in histograms of many random sums of a few features.

pyod learns the histograms; the sums are formed here, feature by feature, so that a row's score does not depend on how
many others are multiplied with it.

Source: Pevný 2016, Loda: lightweight on-line detector of anomalies; as pyod 3 computes it.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from guardray.models.model import Matrix, Vector, as_matrix, drops
from guardray.models.robust import Robust


class Loda:
    """Mean over the sums of the negative logarithm of a bin's share.

    Args:
        seed: of the sums.

    Attributes:
        usual: turns features into deviations, which have one unit.
        chosen: the features that each sum has, [sums, few].
        factors: what they are multiplied by, [sums, few].
        edges: the lower edges of all bins but the first, [sums, bins - 1].
        parts: what a row in each bin counts, [sums, bins].
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.usual = Robust()
        self.chosen = np.zeros((0, 0), np.int64)
        self.factors = self.edges = self.parts = np.zeros((0, 0))

    def fit(self, features: Matrix) -> Self:
        from pyod.models.loda import LODA  # slow to load

        rows = as_matrix(features)
        learned = LODA(random_state=self.seed).fit(self.usual.fit(rows).deviations(rows))
        few = int((learned.projections_ != 0).sum(axis=1).max())
        self.chosen = np.argsort(learned.projections_ == 0, axis=1, kind="stable")[:, :few]
        self.factors = np.take_along_axis(learned.projections_, self.chosen, axis=1)
        self.edges = learned.limits_[:, : learned.n_bins - 1]
        self.parts = -np.log(learned.histograms_)
        return self

    def score(self, features: Matrix) -> Vector:
        deviations = self.usual.deviations(features)
        total = np.zeros(len(deviations))
        for chosen, factors, edges, parts in zip(self.chosen, self.factors, self.edges, self.parts, strict=True):
            summed = np.zeros(len(deviations))
            for feature, factor in zip(chosen, factors, strict=True):
                summed += deviations[:, feature] * factor
            total += parts[np.searchsorted(edges, summed, side="left")]
        return total / max(len(self.parts), 1)

    def contributions(self, features: Matrix) -> Matrix:
        return drops(self.score, features, self.usual.centre)
