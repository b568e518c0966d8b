"""What lists say of an address or a domain: categories, kept as the bits of one UInt64 column."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import polars as pl

Category = Literal[
    "c2",
    "crypto",
    "blackhole",
    "sinkhole",
    "droppoint",
    "dga",
    "driveby",
    "phishing",
    "malicious",
    "scanner",
    "tor-exit",
    "tor-entry",
    "tor-relay",
    "public-resolver",
    "reputation-abused",
    "reputation-malicious",
    "reputation-suspicious",
    "reputation-crypto",
    "custom",
    "trusted",
]

CATEGORIES: tuple[Category, ...] = get_args(Category)
"""In the order of their bits."""


def bit(category: Category) -> int:
    """The category's bit, as a number with that bit alone."""
    return 1 << CATEGORIES.index(category)


TRUSTED = bit("trusted")


def has(column: str, *categories: Category) -> pl.Expr:
    """True where the UInt64 bit mask in the column has any of the categories."""
    wanted = sum(map(bit, set(categories)))
    return pl.col(column) & pl.lit(wanted, pl.UInt64) != 0


def trusted_wins(masks: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """uint64 [n]: the masks, with the trusted bit alone where it is set: what is trusted is nothing else."""
    return np.where(masks & np.uint64(TRUSTED) != 0, np.uint64(TRUSTED), masks)
