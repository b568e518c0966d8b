"""Whether rows are still what a model learned.

Source: population stability index, as credit scoring uses it; Kolmogorov and Smirnov's test of two samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from guardray.detectors.features import FeatureSpec
from guardray.models.family import Family
from guardray.models.model import Vector, as_matrix

BINS = 10
"""Bins of the index, by quantiles of what was learned. Of a feature that is mostly 0 fewer are left."""

MOST_PSI = 0.25
"""Index from which on a distribution has changed, by the usual reading; from 0.1 on it is worth a look."""

LEAST_P = 1e-4
"""Probability below which scores are not what they were. Accounts are many and looked at daily."""

LEAST_ROWS = 50
"""Rows of an account, on both sides, from which on anything is said. The index of fewer rows is high by chance."""


@dataclass(frozen=True)
class Drift:
    """How much the rows of an account have changed.

    Attributes:
        psi: by feature, the index.
        p: of the scores' Kolmogorov-Smirnov test.
        distance: its statistic, 0 to 1.
        learned, recent: rows on both sides.
    """

    account: str
    psi: dict[str, float]
    p: float
    distance: float
    learned: int
    recent: int

    @property
    def worst(self) -> tuple[str, float]:
        """The feature that changed most, and its index."""
        return max(self.psi.items(), key=lambda item: item[1])

    @property
    def is_drifted(self) -> bool:
        """Whether scores changed beyond chance, and a feature with them."""
        return self.p < LEAST_P and self.worst[1] > MOST_PSI


def psi(learned: Vector, recent: Vector) -> float:
    """The population stability index: 0 for equal distributions."""
    edges = np.unique(np.quantile(learned, np.linspace(0, 1, BINS + 1)[1:-1]))
    expected = _shares(learned, edges)
    found = _shares(recent, edges)
    return float(((found - expected) * np.log(found / expected)).sum())


def _shares(numbers: Vector, edges: Vector) -> Vector:
    """In each bin, half a row more than there are, so that no share is 0."""
    counts = np.bincount(np.searchsorted(edges, numbers, side="left"), minlength=len(edges) + 1) + 0.5
    shares: Vector = counts / counts.sum()
    return shares


def drift(family: Family, spec: FeatureSpec, learned: pl.DataFrame, recent: pl.DataFrame) -> list[Drift]:
    """How much each account has changed since it was learned; those with too few rows are left out.

    Args:
        learned, recent: rows of the archive, of the days that the family learned, and of those since.
    """
    from scipy.stats import ks_2samp  # slow to load

    before, since = learned.partition_by("account", as_dict=True), recent.partition_by("account", as_dict=True)
    found = []
    for (account,), rows in sorted(since.items()):
        known = before.get((account,))
        if known is None or min(known.height, rows.height) < LEAST_ROWS:
            continue
        old, new = (as_matrix(one.select(spec.names).to_numpy()) for one in (known, rows))
        one = family.of(str(account))
        if one is None:
            continue
        test = ks_2samp(family.surprisal(one, old), family.surprisal(one, new), method="asymp")
        by_feature = {name: round(psi(old[:, at], new[:, at]), 4) for at, name in enumerate(spec.names)}
        statistic, p = float(test.statistic), float(test.pvalue)
        found.append(Drift(str(account), by_feature, p, round(statistic, 4), known.height, rows.height))
    return found
