"""Where to draw a threshold so that a given number of findings a day is to be expected: the tail of what was seen.

Peaks are the highest surprisal of each principal and day, since a principal's day is one finding. Where history is
long, the threshold lies between two of the peaks. Where it is short, it lies beyond them, and a generalised Pareto tail
says where.

Source: Hosking and Wallis 1987, Parameter and quantile estimation for the generalised Pareto distribution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guardray.models.model import Vector

ENOUGH = 10
"""Findings expected over the whole history from which on the threshold is read off the peaks themselves."""

TAIL_SHARE, TAIL_LEAST = 0.2, 10
"""Of the peaks, the highest that the tail is fitted to: this share, and so many where they are few."""

SHAPE_PEAKS, SHAPE_MOST = 50, 0.4
"""How many peaks weigh as much as the belief that the tail is exponential, which it is on the scale of surprisals; and
how far from it the shape may be."""

UNCERTAIN_PEAKS = 5
"""A threshold that is itself uncertain lets more through than it should, on average over what it might have been: as
many more as this number has in that of the peaks in the tail. So many fewer are asked for."""

OUTLIER_CHANCE = 1e-3
"""A peak that would be seen so seldom, were the others the rule, is left out: an attack that nobody knows of."""

OUTLIERS_MOST = 0.02
"""Share of the peaks that may be left out, but always one."""


@dataclass(frozen=True)
class Tail:
    """A generalised Pareto tail: how many peaks a day lie above a number.

    Attributes:
        start: where it begins.
        peaks: how many it was fitted to.
        rate: peaks a day above the start.
        scale, shape: of the tail; a shape of 0 is exponential, more is heavier.
    """

    start: float
    peaks: int
    rate: float
    scale: float
    shape: float

    def above(self, number: float) -> float:
        """Peaks a day above a number that is not below the start."""
        beyond = max(number - self.start, 0.0) / self.scale
        if abs(self.shape) < 1e-9:
            return self.rate * float(np.exp(-beyond))
        left = max(1 + self.shape * beyond, 0.0)
        return self.rate * float(np.power(left, -1 / self.shape))

    def number(self, rate: float) -> float:
        """The number above which so many peaks a day lie: `above` the other way round, for rates up to its own."""
        ratio = max(self.rate / rate, 1.0)
        if abs(self.shape) < 1e-9:
            return self.start + self.scale * float(np.log(ratio))
        return self.start + self.scale * float(np.expm1(self.shape * np.log(ratio))) / self.shape


def tail_of(peaks: Vector, days: float) -> Tail:
    """The tail of peaks by probability-weighted moments, drawn towards an exponential one.

    Args:
        peaks: at least two.
        days: over which they were seen.
    """
    ordered = np.sort(peaks)
    n = len(ordered)
    many = int(min(max(np.ceil(n * TAIL_SHARE), TAIL_LEAST), n - 1))
    start = float(ordered[n - many - 1])
    excess = ordered[n - many :] - start
    mean = float(excess.mean())
    if mean <= 0:
        return Tail(start, many, many / days, max(abs(start), 1.0) * 1e-3, 0.0)
    plotting = (np.arange(1, many + 1) - 0.35) / many
    weighted = float(((1 - plotting) * excess).mean())
    fitted = 2 - mean / (mean - 2 * weighted) if mean > 2 * weighted else SHAPE_MOST
    shape = float(np.clip(fitted * many / (many + SHAPE_PEAKS), -SHAPE_MOST, SHAPE_MOST))
    return Tail(start, many, many / days, mean * (1 - shape), shape)


def without_outliers(peaks: Vector, days: float) -> Vector:
    """The peaks in ascending order, without the highest ones that the others make next to impossible."""
    ordered = np.sort(peaks)
    n = len(ordered)
    for left_out in range(max(int(n * OUTLIERS_MOST), 1), 0, -1):
        rest = ordered[: n - left_out]
        if len(rest) <= TAIL_LEAST:
            continue
        if tail_of(rest, days).above(float(ordered[n - left_out])) * days < OUTLIER_CHANCE:
            return rest
    return ordered


def threshold(peaks: Vector, days: float, rate: float) -> float | None:
    """The number above which `rate` peaks a day are to be expected; None: there are too few peaks to say.

    Args:
        peaks: the highest surprisal of each principal and day.
        days: over which they were seen, days without any among them.
        rate: findings a day that are wanted.
    """
    if len(peaks) < 2:
        return None
    usual = without_outliers(peaks, days)
    expected = rate * days
    if expected >= ENOUGH:
        return _between(usual, expected)
    tail = tail_of(usual, days)
    asked = rate * tail.peaks / (tail.peaks + UNCERTAIN_PEAKS)
    return tail.number(asked) if asked < tail.rate else _between(usual, expected)


def _between(ordered: Vector, above: float) -> float:
    """The number above which so many of the peaks lie, between two of them where it is no whole number."""
    n = len(ordered)
    return float(np.interp(n - above - 0.5, np.arange(n), ordered))
