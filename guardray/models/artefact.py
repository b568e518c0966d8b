"""A family of models as a file: skops, of which only listed types load, and never pickle.

Source: skops, https://skops.readthedocs.io: loading names every type in a file before anything is built of it.
"""

from __future__ import annotations

from zipfile import ZIP_DEFLATED

from guardray.errors import ModelError
from guardray.models.catalogue import TRUSTED_DETECTORS
from guardray.models.family import Family

FORMAT = 1
"""Of what is in a file: raised where this program could not use what another version wrote."""

TRUSTED = (
    "guardray.models.combined.Combined",
    "guardray.models.ecdf.Copod",
    "guardray.models.ecdf.Ecod",
    "guardray.models.family.AccountModel",
    "guardray.models.family.Family",
    "guardray.models.fitted.Fitted",
    "guardray.models.hbos.Hbos",
    "guardray.models.loda.Loda",
    "guardray.models.pyod_model.PyodModel",
    "guardray.models.robust.Robust",
    "guardray.models.tail_scale.TailScale",
    "guardray.models.tails.Tails",
    *TRUSTED_DETECTORS,
)
"""Types that a file may hold, beside numbers, texts, arrays, and scikit-learn's own, which skops knows."""


def dumped(family: Family) -> bytes:
    """A family as the bytes of a file."""
    from skops.io import dumps

    data: bytes = dumps({"format": FORMAT, "family": family}, compression=ZIP_DEFLATED)
    return data


def loaded(data: bytes, path: str) -> Family:
    """The family in the bytes of a file.

    Args:
        path: what errors call it.

    Raises:
        ModelError: it is damaged, of another format, or holds types that are not listed.
    """
    from skops.io import get_untrusted_types, loads

    try:
        unknown = sorted(set(get_untrusted_types(data=data)) - set(TRUSTED))
        if unknown:
            raise ModelError(path, f"it holds types that no model has: {', '.join(unknown)}")
        content = loads(data, trusted=list(TRUSTED))
    except ModelError:
        raise
    except Exception as error:  # skops raises what its own parts raise: zip, JSON, NumPy, imports
        raise ModelError(path, f"it cannot be read: {type(error).__name__}: {error}") from error
    return _family(content, path)


def _family(content: object, path: str) -> Family:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ModelError(path, f"it is not of format {FORMAT}, which this program reads")
    family = content.get("family")
    if not isinstance(family, Family):
        raise ModelError(path, "there is no family of models in it")
    return family
