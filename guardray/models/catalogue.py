"""Models by name: what `train --model` and policies may ask for."""

from __future__ import annotations

from collections.abc import Callable

from guardray.errors import UsageError
from guardray.models.combined import Combined
from guardray.models.ecdf import Copod, Ecod
from guardray.models.hbos import Hbos
from guardray.models.loda import Loda
from guardray.models.model import Model
from guardray.models.pyod_model import PyodModel
from guardray.models.robust import Robust
from guardray.models.tails import Tails

SEED = 20
"""Of what is drawn at random while a model learns. Any would do; another gives slightly different trees."""

TREES = 100
"""Of an isolation forest, each of 256 rows where there are so many: what its authors found enough."""


def _forest(seed: int) -> Model:
    options = {"n_estimators": TREES, "max_samples": "auto", "random_state": seed, "n_jobs": 1}
    return PyodModel("iforest", "IForest", options, by_deviations=False, seed=seed)


def _by_distance(module: str, name: str, **options: object) -> Callable[[int], Model]:
    return lambda seed: PyodModel(module, name, options, by_deviations=True, seed=seed)


_vectors = _by_distance("ocsvm", "OCSVM")


MAKERS: dict[str, Callable[[int], Model]] = {
    "robust": lambda seed: Robust(),
    "tails": lambda seed: Tails(),
    "ecod": lambda seed: Ecod(),
    "copod": lambda seed: Copod(),
    "hbos": lambda seed: Hbos(),
    "iforest": _forest,
    "loda": Loda,
    "ocsvm": _vectors,
    "sampling": _by_distance("sampling", "Sampling"),
    "shipped": lambda seed: Combined([Tails(), Ecod(), Hbos()], telling=1),
}
"""By name, from a seed to a model that has learned nothing yet. Of pyod's detectors there are
those whose scores do not depend on the batch and that skops can keep, and others may be added in a line. Neighbours and
local densities are not among them: of many features pyod's distances depend on the batch, and of rows that are alike,
as most are, the density is infinite.

`shipped` joins the highest few features of a row, which also say why, with two that sum over all of them: an attack is
very odd in some ways and a little in many. On the accounts that it was chosen on, beside rules, it found as many as
`ecod` at the budget, with half of what is harmless."""

TRUSTED_DETECTORS = (
    "pyod.models.iforest.IForest",
    "pyod.models.ocsvm.OCSVM",
    "pyod.models.sampling.Sampling",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.tree._tree.Tree",
)
"""Types of pyod and scikit-learn that files of models may hold, beside those that skops trusts by itself."""

DEFAULT = "shipped"
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
