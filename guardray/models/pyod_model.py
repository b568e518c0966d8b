"""Detectors of pyod, by name, behind the same verbs."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import numpy as np

from guardray.models.model import Matrix, Vector, as_matrix, drops, thinned
from guardray.models.robust import Robust

MOST_BY_DISTANCE = 2_000
"""Rows that a detector by distances learns at most, evenly over all: it keeps them and looks at all for each score."""


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """NumPy's global generator, which some detectors draw from, begins with a seed and is put back afterwards."""
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(state)


class PyodModel:
    """A detector of pyod whose scores of a row do not depend on the batch.

    Args:
        module, name: where pyod has its class.
        options: that it is made with.
        by_deviations: it is shown deviations from what is usual (see `Robust`) and not the features themselves, since
            it measures distances and features have different units.
        seed: of what is drawn at random while it learns.

    Attributes:
        detector: of pyod, once fitted.
        usual: the median of each feature, [features].
    """

    def __init__(self, module: str, name: str, options: Mapping[str, Any], *, by_deviations: bool, seed: int) -> None:
        self.module, self.name, self.options, self.seed = module, name, dict(options), seed
        self.usual_range = Robust() if by_deviations else None
        self.detector: Any = None
        self.usual = np.zeros(0)

    def fit(self, features: Matrix) -> Self:
        rows = as_matrix(features)
        if self.usual_range is not None:
            self.usual_range.fit(rows)
            rows = thinned(rows, MOST_BY_DISTANCE)
        detector = getattr(importlib.import_module(f"pyod.models.{self.module}"), self.name)(**self.options)
        with _seeded(self.seed):
            detector.fit(self._shown(rows))
        # What it keeps of each row that it learned is of no use for scoring, and most of the file.
        detector.decision_scores_ = detector.decision_scores_[:1]
        detector.labels_ = detector.labels_[:1]
        self.detector = detector
        self.usual = np.median(rows, axis=0)
        return self

    def score(self, features: Matrix) -> Vector:
        rows = as_matrix(features)
        if not len(rows):
            return np.zeros(0)
        return np.asarray(self.detector.decision_function(self._shown(rows)), np.float64).ravel()

    def contributions(self, features: Matrix) -> Matrix:
        return drops(self.score, features, self.usual)

    def _shown(self, rows: Matrix) -> Matrix:
        return rows if self.usual_range is None else self.usual_range.deviations(rows)
