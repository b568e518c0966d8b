"""A model that has learned, with its scores on the common scale."""

from __future__ import annotations

from dataclasses import dataclass

from guardray.models.model import Matrix, Model, Vector, as_matrix
from guardray.models.tail_scale import TailScale


@dataclass(eq=False)
class Fitted:
    """A model and the scale of its scores.

    Attributes:
        model: has learned.
        scale: of the scores of what it learned from.
    """

    model: Model
    scale: TailScale

    @classmethod
    def of(cls, model: Model, features: Matrix) -> Fitted:
        """The model, once it has learned these rows."""
        rows = as_matrix(features)
        model.fit(rows)
        return cls(model, TailScale().fit(model.score(rows)))

    def surprisal(self, features: Matrix) -> Vector:
        """How seldom a row as unusual was seen: see `TailScale`."""
        return self.scale.surprisal(self.model.score(features))
