"""Which rows of a day are kept, so that nobody fills the archive: the most unusual ones, and some of the others."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

A_PRINCIPAL, AN_ACCOUNT = 64, 4_000
"""Rows kept of one principal and day, and of one account and day. Who works makes some tens of candidates."""

_EXTREME, _DRAWN, _LOT, _HEIGHT, _MANY = "_extreme", "_drawn", "_lot", "_height", "_many"


def sampled(rows: pl.DataFrame, features: Sequence[str]) -> pl.DataFrame:
    """Rows of whole days, at most so many a principal and account.

    Half of the room is for the rows that are highest over all features, which thresholds are drawn by. The rest is for
    those of the least hashes, which is the same choice wherever it is made. `weight` is multiplied by how many rows of
    their kind they stand for.

    Args:
        rows: `account`, `whose`, `day`, `digest`, `weight` and the features.
    """
    height = pl.sum_horizontal(pl.col(name).log1p() for name in features).alias(_HEIGHT)
    # A row's digest is a hash of all that it was grouped by, and so as good as a lot.
    ordered = rows.with_columns(height, pl.col("digest").alias(_LOT))
    of_principals = _limited(ordered, ["account", "day", "whose"], A_PRINCIPAL)
    return _limited(of_principals, ["account", "day"], AN_ACCOUNT).select(rows.columns)


def _limited(rows: pl.DataFrame, of: list[str], most: int) -> pl.DataFrame:
    """At most so many rows of each group: the highest half, and those of the least lots."""
    half = most // 2
    ranks = rows.with_columns(
        pl.len().over(of).alias(_MANY),
        (pl.struct(pl.col(_HEIGHT).neg(), _LOT).rank("ordinal").over(of) <= half).alias(_EXTREME),
    )
    others = pl.col(_LOT).rank("ordinal").over([*of, _EXTREME])
    drawn = ranks.with_columns((~pl.col(_EXTREME) & (others <= most - half)).alias(_DRAWN))
    stands_for = (pl.col(_MANY) - half) / (most - half)
    return (
        drawn.filter(pl.col(_EXTREME) | pl.col(_DRAWN) | (pl.col(_MANY) <= most))
        .with_columns(
            pl.when((pl.col(_MANY) > most) & pl.col(_DRAWN))
            .then(pl.col("weight") * stands_for)
            .otherwise(pl.col("weight"))
        )
        .drop(_MANY, _EXTREME, _DRAWN)
    )
