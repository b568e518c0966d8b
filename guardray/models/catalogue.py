"""Models by name: what `train --model` and policies may ask for."""

from __future__ import annotations

from collections.abc import Callable

from guardray.errors import UsageError
from guardray.models.model import Model
from guardray.models.robust import Robust

SEED = 20
"""Of what is drawn at random while a model learns. Any would do; another gives slightly different trees."""

MAKERS: dict[str, Callable[[int], Model]] = {"robust": lambda seed: Robust()}
"""By name, from a seed to a model that has learned nothing yet."""

TRUSTED_DETECTORS: tuple[str, ...] = ()
"""Types of pyod's that are in files of models."""

DEFAULT = "robust"
"""What is trained where nothing else is asked for."""


def make(name: str, seed: int = SEED) -> Model:
    """A model that has learned nothing yet.

    Raises:
        UsageError: there is none of that name.
    """
    try:
        return MAKERS[name](seed)
    except KeyError:
        raise UsageError(f"there is no model {name!r}; there are {', '.join(sorted(MAKERS))}") from None
