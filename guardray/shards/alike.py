"""Rows that are alike, told without reading their texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numba import njit, types
from numpy.typing import NDArray

from guardray.shards.keyed_table import KeyedTable
from guardray.stats.compiled import I64S, READ_I64S
from guardray.stats.hashing import hash_combine, view_words

_WORTHWHILE = 4
"""Rows for each one that is kept: with fewer, gathering costs more than it saves."""


@njit(types.void(I64S, READ_I64S, READ_I64S), nogil=True, cache=True)
def _latest(best: np.ndarray, kinds: np.ndarray, times: np.ndarray) -> None:
    for i in range(len(kinds)):
        known = best[kinds[i]]
        if known < 0 or times[i] > times[known]:
            best[kinds[i]] = i


def latest_alike(
    texts: Sequence[pl.Series], keys: NDArray[np.uint64], times: NDArray[np.int64]
) -> NDArray[np.int64] | None:
    """Of rows that agree in key and texts, one with the greatest time: int64 [m], positions of rows.

    Decoders give equal texts of a batch one place in memory, so that texts are compared by where they are. Equal texts
    in two places only make for more rows.

    Args:
        texts: String, Categorical or Enum [n] each.
        keys: uint64 [n].
        times: int64 [n].

    Returns:
        None where most rows differ.
    """
    words = [column for series in texts for column in _words(series)]
    table = KeyedTable()
    kinds = table.upsert(hash_combine(keys, *words))
    if len(table) * _WORTHWHILE > len(kinds):
        return None
    best = np.full(len(table), -1, dtype=np.int64)
    _latest(best, kinds, times)
    return best


def _words(texts: pl.Series) -> list[NDArray[np.uint64]]:
    """What tells texts apart as numbers, nulls among them; nothing where all are null."""
    if texts.null_count() == len(texts):
        return []
    words = list(view_words(texts.cast(pl.String)).T)
    return [*words, texts.is_null().to_numpy().astype(np.uint64)] if texts.null_count() else words
