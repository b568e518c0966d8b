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
        definition: of the spec that measured them; they are of no use with another.
        features: names of the columns.
        rows: [n][features].
    """

    definition: str
    features: tuple[str, ...]
    rows: list[list[float]]


@cache
def _shipped() -> dict[str, PriorRows]:
    return msgspec.json.decode(PRIOR.read_bytes(), type=dict[str, PriorRows]) if PRIOR.exists() else {}


def prior_rows(spec: FeatureSpec) -> Matrix:
    """Rows of a spec that come with the program: float64 [n, features]; none where they were measured otherwise."""
    found = _shipped().get(spec.name)
    if found is None or (found.definition, found.features) != (spec.definition, spec.names):
        return np.zeros((0, len(spec.names)))
    return as_matrix(found.rows)
