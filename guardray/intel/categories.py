"""What threat lists say of an address or a domain: categories, kept as the bits of one UInt64 column."""

from __future__ import annotations

from typing import Literal, get_args

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
]

CATEGORIES: tuple[Category, ...] = get_args(Category)
"""In the order of their bits."""


def bit(category: Category) -> int:
    """The category's bit, as a number with that bit alone."""
    return 1 << CATEGORIES.index(category)


def has(column: str, category: Category) -> pl.Expr:
    """True where the UInt64 bit mask in the column has the category."""
    return pl.col(column) & pl.lit(bit(category), pl.UInt64) != 0
