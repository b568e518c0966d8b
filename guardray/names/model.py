"""The model of names that comes with the program: domains to how generated their names look.

It is a logistic regression over shapes and pieces of a label, so a score is a sum of weights. `docs/names-model.md`
says what it learned from and how well it does. The file has arrays only, and its checksum is looked at.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from guardray.errors import UsageError
from guardray.names.texts import packed

DATA = Path(__file__).parent / "data"
WEIGHTS, ABOUT = "weights.npz", "about.json"

ODD = 50
"""Percent from which on a name counts as generated-looking. What 50 stands for is set when the model is trained: the
score that three in a hundred ordinary names reach. That is far too many to accuse one name, and finds three in four
generated ones: enough to judge many names of one client."""

PUNYCODE = "xn--"
"""How names in other scripts begin. What follows looks drawn and is not, so these are not judged."""


@dataclass(frozen=True, eq=False)
class NameModel:
    """Weights of the features, and the log-odds that count as even.

    Attributes:
        weights: float32 [WIDTH].
        even: log-odds that become 50 %.
    """

    weights: npt.NDArray[np.float32]
    even: float

    def log_odds(self, domains: pl.Series) -> npt.NDArray[np.float32]:
        """Of each domain's first label: float32 [n]. The domains are strings without null."""
        from guardray.names.features import score  # numba is slow to load, and few commands ask

        found = np.empty(len(domains), np.float32)
        score(*packed(domains), self.weights, found)
        return found

    def percent(self, domains: pl.Series) -> pl.Series:
        """How generated the first label looks, 0 to 100: UInt8 [n]; null for null and for names in other scripts."""
        known = domains.fill_null("")
        likely = 100 / (1 + np.exp(self.even - self.log_odds(known)))
        judged = domains.is_not_null() & ~known.str.to_lowercase().str.starts_with(PUNYCODE)
        percent = pl.Series("percent", np.floor(likely).astype(np.uint8))
        return percent.set(~judged, None)


@cache
def shipped() -> NameModel:
    """The model that comes with the program."""
    return load(DATA)


def load(folder: Path) -> NameModel:
    """The model that `guardray.names.train` wrote to this folder.

    Raises:
        UsageError: the file is not the one that its description was written for, or has another shape.
    """
    from guardray.names.features import WIDTH  # numba is slow to load, and few commands ask

    about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    packed = (folder / WEIGHTS).read_bytes()
    if hashlib.sha256(packed).hexdigest() != about["sha256"]:
        raise UsageError(f"{folder / WEIGHTS}: the checksum is not that of {ABOUT}; install guardray again")
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        weights = arrays["weights"].astype(np.float32)
    if weights.shape != (WIDTH,):
        raise UsageError(f"{folder / WEIGHTS}: {weights.size} weights, where this version has {WIDTH} features")
    return NameModel(weights, float(about["even"]))
