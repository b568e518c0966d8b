"""Makes the model of names: `python -m guardray.names.train HSTSPRELOAD DISPOSABLE OPENDNS`.

HSTSPRELOAD is the wheel of hstspreload (PyPI), DISPOSABLE the .tgz file of disposable-email-domains (npm), OPENDNS the
file opendns-top-domains.txt of opendns/public-domain-lists. Their names are ordinary; the generated ones come from
`guardray.names.generators`. One seed gives the same weights on every machine.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from numba import njit, types
from publicsuffixlist import PublicSuffixList

from guardray.names.features import F32S, MOST, READ_U8S, SHAPES, WIDTH, features, label_end, log_odds
from guardray.names.generators import SHARES, generated
from guardray.names.model import ABOUT, DATA, WEIGHTS, NameModel
from guardray.names.texts import packed
from guardray.stats.compiled import READ_I64S

SEED = 20260823
GENERATED = 150_000
HELD_BACK = 0.1
"""Share of the ordinary names that only calibrate."""

EPOCHS, RATE = 4, 0.15
WEIGHT_OF_GENERATED = 0.3
"""Of all generated names against all ordinary ones. Less than one makes the model sure of few names and not half-sure
of many."""

ORDINARY_ABOVE_EVEN = 0.03


@njit(types.float64(READ_U8S, READ_I64S, READ_I64S, READ_U8S, types.float64, F32S, F32S, types.float64), cache=True)
def _epoch(
    text: np.ndarray,
    offsets: np.ndarray,
    order: np.ndarray,
    is_generated: np.ndarray,
    weight: float,
    weights: np.ndarray,
    squares: np.ndarray,
    rate: float,
) -> float:
    """One pass of AdaGrad over the labels in this order; gives the mean loss.

    Source: Duchi, Hazan and Singer 2011, Adaptive subgradient methods.
    """
    found, loss = np.empty(MOST, np.int64), 0.0
    for i in order:
        count = features(text, offsets[i], label_end(text, offsets[i], offsets[i + 1]), found)
        probability = 1 / (1 + np.exp(-log_odds(weights, found, count)))
        of = weight if is_generated[i] else 1.0
        error = of * (probability - is_generated[i])
        loss -= of * np.log(max(probability if is_generated[i] else 1 - probability, 1e-9))
        for place in range(count):
            gradient = error if place < SHAPES else error / np.sqrt(count)
            feature = found[place]
            squares[feature] += gradient * gradient
            weights[feature] -= rate * gradient / np.sqrt(squares[feature] + 1e-6)
    return loss / order.size


def fit(made_up: Sequence[str], ordinary: Sequence[str], seed: int = SEED) -> npt.NDArray[np.float32]:
    """Weights that tell these labels apart: float32 [WIDTH], rounded to what a float16 holds."""
    text, ends = packed(pl.Series([*made_up, *ordinary], dtype=pl.String))
    is_generated = np.repeat(np.array([1, 0], np.uint8), [len(made_up), len(ordinary)])
    weight = WEIGHT_OF_GENERATED * len(ordinary) / len(made_up)
    weights, squares, rng = np.zeros(WIDTH, np.float32), np.zeros(WIDTH, np.float32), np.random.default_rng(seed)
    for _ in range(EPOCHS):
        _epoch(text, ends, rng.permutation(len(is_generated)), is_generated, weight, weights, squares, RATE)
    return weights.astype(np.float16).astype(np.float32)


def labels_of(domains: Iterable[str]) -> list[str]:
    """What was registered of each domain, before its public suffix, each once and sorted; without other scripts."""
    suffixes = PublicSuffixList()
    registered = (suffixes.privatesuffix(domain) for domain in domains)
    return sorted({name.split(".")[0] for name in registered if name and not name.startswith("xn--")})


def hsts_names(wheel: Path) -> list[str]:
    """Names in hstspreload's file: records of one byte of flags, one of length, and the name; only leaves are names."""
    packed, names, place = zipfile.ZipFile(wheel).read("hstspreload/hstspreload.bin"), [], 0
    while place < len(packed):
        is_leaf, size = packed[place] & 0x80, packed[place + 1]
        if is_leaf:
            names.append(packed[place + 2 : place + 2 + size].decode())
        place += 2 + size
    return names


def disposable_names(archive: Path) -> list[str]:
    """Names in disposable-email-domains."""
    with tarfile.open(archive) as files:
        listed = files.extractfile("package/index.json")
        assert listed is not None
        return list(json.load(listed))


def main(arguments: Sequence[str]) -> None:
    """Writes weights and their description beside the module that reads them."""
    hsts, disposable, opendns = map(Path, arguments)
    sources = {
        "hstspreload": (hsts.name, "BSD-3-Clause", labels_of(hsts_names(hsts))),
        "disposable-email-domains": (disposable.name, "MIT", labels_of(disposable_names(disposable))),
        "opendns/public-domain-lists": (opendns.name, "public domain", labels_of(opendns.read_text().split())),
    }
    ordinary = np.array(sorted({label for _, _, labels in sources.values() for label in labels}), dtype=object)
    held = np.random.default_rng(SEED).random(len(ordinary)) < HELD_BACK
    made_up = generated(SEED, GENERATED)
    weights = fit(made_up, list(ordinary[~held]))
    scores = NameModel(weights, 0.0).log_odds(pl.Series(list(ordinary[held]), dtype=pl.String))
    about = {
        "seed": SEED,
        "sources": [
            {"name": name, "file": file, "licence": licence, "labels": len(labels)}
            for name, (file, licence, labels) in sources.items()
        ],
        "ordinary": {"learned": int((~held).sum()), "held_back": int(held.sum())},
        "generated": {"learned": len(made_up), "shares": {one.__name__: share for one, share in SHARES.items()}},
        "even": round(float(np.quantile(scores, 1 - ORDINARY_ABOVE_EVEN)), 4),
    }
    write(DATA, weights, about)


def write(folder: Path, weights: npt.NDArray[np.float32], about: dict[str, Any]) -> None:
    """Write the weights, as float16, and their description with the checksum."""
    folder.mkdir(exist_ok=True)
    packed = io.BytesIO()
    np.savez_compressed(packed, weights=weights.astype(np.float16))
    (folder / WEIGHTS).write_bytes(packed.getvalue())
    described = {**about, "sha256": hashlib.sha256(packed.getvalue()).hexdigest()}
    (folder / ABOUT).write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
