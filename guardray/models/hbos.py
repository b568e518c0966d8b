"""HBOS: how thinly populated the bins of a histogram are that a row falls into.

Computed here in columns, since pyod compiles its loops anew in every process, which takes some seconds.

Source: Goldstein and Dengel 2012, Histogram-based outlier score; as pyod 3 computes it.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from guardray.models.model import Matrix, Vector, as_matrix, shares

BINS, REGULARISER, TOLERANCE = 10, 0.1, 0.5
"""How many bins a feature has; what is added to densities, so that an empty bin counts as something; and the share of a
bin's width that a value may lie outside and still count as in the last one. pyod's own defaults."""


class Hbos:
    """Sum over the features of the negative binary logarithm of a bin's density.

    Attributes:
        edges: of the bins, [features, bins + 1].
        parts: what a value in each bin counts, [features, bins].
    """

    def __init__(self) -> None:
        self.edges = np.zeros((0, 0))
        self.parts = np.zeros((0, 0))

    def fit(self, features: Matrix) -> Self:
        histograms = [np.histogram(column, BINS, density=True) for column in as_matrix(features).T]
        self.edges = np.stack([edges for _, edges in histograms])
        self.parts = -np.log2(np.stack([densities for densities, _ in histograms]) + REGULARISER)
        return self

    def score(self, features: Matrix) -> Vector:
        score: Vector = self._parts(features).sum(axis=1)
        return score

    def contributions(self, features: Matrix) -> Matrix:
        """Shares of what each feature counts beyond its most usual bin."""
        return shares(self._parts(features) - self.parts.min(axis=1))

    def _parts(self, features: Matrix) -> Matrix:
        rows = as_matrix(features)
        found = np.empty_like(rows)
        for at, (edges, parts) in enumerate(zip(self.edges, self.parts, strict=True)):
            found[:, at] = self._part(rows[:, at], edges, parts)
        return found

    def _part(self, column: Vector, edges: Vector, parts: Vector) -> Vector:
        bins = len(parts)
        at = np.searchsorted(edges, column, side="left")
        low = edges[0] - column > (edges[1] - edges[0]) * TOLERANCE
        high = column - edges[-1] > (edges[-1] - edges[-2]) * TOLERANCE
        outside = ((at == 0) & low) | ((at == bins + 1) & high)
        return np.where(outside, parts.max(), parts[np.clip(at - 1, 0, bins - 1)])
