"""Numbers of any kind on one scale: how seldom one as high was seen, as the negative logarithm of that share.

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
"""The tail begins at the lowest number that at most this share reach, or so many where there are few."""

SHAPE = 0.25
"""Of the tail. Fixed: from some tens of numbers it cannot be told."""

KNOTS = 65
"""Quantiles that stand for the numbers below the tail."""

LEAST_SCALE = 0.05
"""Of the whole range that was seen, at least this share is the tail's scale: the tail's numbers may all be one."""


class TailScale:
    """A monotone map from numbers to surprisal: 0 at the lowest that was seen, 4.6 at what one in a hundred reaches.

    Attributes:
        knots, surprisals: the map below the tail, both [knots].
        scale: of the tail, which begins at the last knot.
    """

    def __init__(self) -> None:
        self.knots = np.zeros(1)
        self.surprisals = np.zeros(1)
        self.scale = 1.0

    def fit(self, numbers: Vector) -> Self:
        """Learn from what is usual: at least one number."""
        n = len(numbers)
        values, counts = np.unique(np.asarray(numbers, np.float64), return_counts=True)
        reaching = n - np.append(0, np.cumsum(counts)[:-1])
        in_tail = reaching <= max(n * TAIL_SHARE, TAIL_LEAST)
        start = int(np.argmax(in_tail)) if n > TAIL_LEAST else len(values) - 1
        kept = np.unique(np.linspace(0, start, KNOTS).round().astype(np.int64))
        self.knots = values[kept]
        self.surprisals = -np.log(reaching[kept] / n)
        excess = float(np.average(values[start:] - values[start], weights=counts[start:]))
        whole = float(values[-1] - values[0])
        self.scale = max(excess * (1 - SHAPE), whole * LEAST_SCALE, 1e-6 * max(abs(float(values[start])), 1.0))
        return self

    def surprisal(self, numbers: Vector) -> Vector:
        """What each number stands for: float64 [n], not negative, never lower for a higher number."""
        within = np.interp(numbers, self.knots, self.surprisals)
        beyond = np.maximum(numbers - self.knots[-1], 0.0) / self.scale
        surprisal: Vector = within + np.log1p(SHAPE * beyond) / SHAPE
        return surprisal
