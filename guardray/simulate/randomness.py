"""Random streams that depend on names only, so that one part of the world never moves another."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")

ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
KEY_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
HEX = "0123456789abcdef"


def stream(*names: object) -> np.random.Generator:
    """The generator of these names, the same on every machine: `stream(seed, account, day, "flow")`."""
    digest = hashlib.blake2b("/".join(map(str, names)).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))


def token(rng: np.random.Generator, length: int, alphabet: str = HEX) -> str:
    """A random word such as the part of an AWS id after its prefix."""
    return "".join(alphabet[i] for i in rng.integers(0, len(alphabet), length))


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """One of the options, each equally likely."""
    return options[int(rng.integers(len(options)))]
