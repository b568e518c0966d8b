"""What comes with the program: rows of features of simulated accounts, which young accounts are judged by.

They are learned beside the account's own and those of other accounts. They are few, so they fade as history grows.
`guardray.models.prior_build` makes the file; it is JSON, to be read and compared by people.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec
import numpy as np

from guardray.detectors.features import FeatureSpec
from guardray.models.model import Matrix, as_matrix

PRIOR = Path(__file__).parent / "data" / "prior.json"


class PriorRows(msgspec.Struct, frozen=True):
    """Rows of one spec.

    Attributes:
        definition: of the spec that measured them. With another they are still of use: what they tell is roughly how
            often a feature is how high.
        features: names of the columns; without one that is asked for, they are of no use.
        rows: [n][features].
    """

    definition: str
    features: tuple[str, ...]
    rows: list[list[float]]


@cache
def _shipped() -> dict[str, PriorRows]:
    return msgspec.json.decode(PRIOR.read_bytes(), type=dict[str, PriorRows]) if PRIOR.exists() else {}


def prior_rows(spec: FeatureSpec) -> Matrix:
    """Rows of a spec that come with the program: float64 [n, features]; none where a feature is not among theirs."""
    found = _shipped().get(spec.name)
    if found is None or not set(spec.names) <= set(found.features):
        return np.zeros((0, len(spec.names)))
    return as_matrix(found.rows)[:, [found.features.index(name) for name in spec.names]].copy(order="C")
