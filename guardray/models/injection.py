"""Anomalies made of usual rows, to see whether a model finds them and names what was changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guardray.detectors.features import FeatureSpec
from guardray.models.model import Matrix, as_matrix

CHANGED_LEAST, CHANGED_SHARES = 2, (0.15, 0.35)
"""How many features of a row are changed: so many at least, and a share of all between these. An attack is new in more
than one way, or it is not seen, and what is new shows in several features: for the account, for peers, for the
principal."""

SHARE = (0.7, 1.0)
"""Of its greatest value, what a changed feature gets."""

TIMES = (2.0, 10.0)
"""Of what one usual row in a hundred reaches, at least 1, what a changed feature gets that has no greatest value."""

UPPER = 0.99


@dataclass(frozen=True)
class Injected:
    """Rows that were changed.

    Attributes:
        features: [n, features].
        changed: which values were, [n, features].
        at: of which row each was made, [n].
    """

    features: Matrix
    changed: npt.NDArray[np.bool_]
    at: npt.NDArray[np.int64]


def inject(spec: FeatureSpec, usual: Matrix, many: int, seed: int) -> Injected:
    """Changed copies of usual rows, the same for the same seed.

    Args:
        usual: rows of features, [n, features]; none give none.
    """
    drawn = np.random.default_rng(seed)
    n, width = usual.shape
    at = drawn.integers(0, n, many) if n else np.zeros(0, np.int64)
    least, most = (min(max(round(width * share), CHANGED_LEAST), width) for share in CHANGED_SHARES)
    order = drawn.random((len(at), width)).argsort(axis=1)
    changed = order < drawn.integers(least, most + 1, len(at))[:, None]
    reached = np.quantile(usual, UPPER, axis=0) if n else np.zeros(width)
    highest = np.array([np.nan if one.most is None else one.most for one in spec.features])
    times = np.maximum(reached, 1.0) * drawn.uniform(*TIMES, (len(at), width))
    unusual = np.where(np.isnan(highest), times, highest * drawn.uniform(*SHARE, (len(at), width)))
    features = np.where(changed, np.maximum(unusual, usual[at]), usual[at])
    return Injected(as_matrix(features), changed, at)
