"""Scores of any model on one scale: how seldom one as high was seen, as the negative logarithm of that share.

What is beyond all that was seen goes on by a generalised Pareto tail, so that two rows that are both without precedent
still differ. The tail is taken as heavier than exponential: a thousandfold deviation does not tell a thousand times as
much.

Source: Pickands 1975, Statistical inference using extreme order statistics.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from guardray.models.model import Vector

TAIL_SHARE, TAIL_LEAST = 0.1, 5
"""The tail is fitted to this share of the highest scores, and to so many where there are few."""

SHAPE = 0.25
"""Of the tail. Fixed: from some tens of scores it cannot be told."""

KNOTS = 65
"""Quantiles that stand for the scores below the tail."""

LEAST_SCALE = 0.02
"""Of the scores' whole range, at least this share is the tail's scale, where its scores are all one."""


class TailScale:
    """A monotone map from scores to surprisal: 0 at the lowest that was seen, 4.6 where one in a hundred is higher.

    Attributes:
        knots, surprisals: the map below the tail, both [knots].
        start: where the tail begins.
        scale: of the tail.
    """

    def __init__(self) -> None:
        self.knots = np.zeros(1)
        self.surprisals = np.zeros(1)
        self.start = 0.0
        self.scale = 1.0

    def fit(self, scores: Vector) -> Self:
        """Learn from the scores of what is usual, at least one."""
        ordered = np.sort(np.asarray(scores, np.float64))
        n = len(ordered)
        in_tail = min(max(round(n * TAIL_SHARE), TAIL_LEAST), n)
        self.start = float(ordered[n - in_tail])
        whole = float(ordered[-1] - ordered[0])
        excess = float(np.mean(ordered[n - in_tail :] - self.start))
        self.scale = max(excess * (1 - SHAPE), whole * LEAST_SCALE, 1e-6 * max(abs(self.start), 1.0))
        self._fit_body(ordered, in_tail)
        return self

    def _fit_body(self, ordered: Vector, in_tail: int) -> None:
        n = len(ordered)
        ranks = np.unique(np.linspace(0, n - in_tail, KNOTS).round().astype(np.int64))
        values = ordered[ranks]
        # Of equal scores the last rank counts, which is the share that is higher still.
        last = np.append(values[1:] != values[:-1], True)
        self.knots = values[last]
        higher = n - np.searchsorted(ordered, self.knots, side="left")
        self.surprisals = -np.log(higher / n)

    def surprisal(self, scores: Vector) -> Vector:
        """What each score stands for: float64 [n], not negative, never lower for a higher score."""
        within = np.interp(scores, self.knots, self.surprisals)
        beyond = np.maximum(scores - self.start, 0.0) / self.scale
        return within + np.log1p(SHAPE * beyond) / SHAPE
