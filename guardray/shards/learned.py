"""Tables of what was learned by days: one row a key, looked up by whole columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from guardray.detectors.activity import HALF_LIFE, LAST_DAY

KEPT = timedelta(days=90)
"""What was not seen for so long is forgotten: what comes back after a quarter is news, and state stays bounded."""

DAYS = "days"
"""The column of the days on which a key was seen."""

IS_FLAGGED = "_is_flagged"
"""Whether a detector told of a row: what is flagged counts as seen, and weighs nothing."""

_DECAYED = np.exp2(-np.arange(KEPT // timedelta(days=1) + 1) / (HALF_LIFE / timedelta(days=1)))
"""What is left of a weight after so many days: looked up, so that it is the same number on any machine."""


def looked_up(rows: pl.DataFrame, table: pl.DataFrame, key: Sequence[str], values: Sequence[str]) -> pl.DataFrame:
    """The values of each row's key in the table, nulls where it has none: [n, values]."""
    if table.is_empty():
        return table.select(values).clear(rows.height)
    found = rows.select(key).join(table, on=list(key), how="left", nulls_equal=True, maintain_order="left")
    return found.select(values)


def of_rows(rows: pl.DataFrame, table: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """The rows of the table that rows have keys of."""
    return table.join(rows.select(key).unique(), on=list(key), how="semi", nulls_equal=True)


def not_learned(rows: pl.DataFrame, table: pl.DataFrame, key: Sequence[str], day: date) -> pl.DataFrame:
    """The rows whose key was not seen on that day or later."""
    latest: date | None = table[LAST_DAY].max()  # type: ignore[assignment]
    if latest is None or latest < day:
        return rows
    return rows.join(table.filter(pl.col(LAST_DAY) >= day), on=list(key), how="anti", nulls_equal=True)


def decayed(weights: pl.Series, last: pl.Series, day: date) -> pl.Series:
    """What is left on a day of weights of those days: Float64 [n], 0 where there is none."""
    ages = np.clip(ages_in_days(last.fill_null(day), day), 0, len(_DECAYED) - 1)
    return pl.Series(weights.name, weights.cast(pl.Float64).fill_null(0.0).to_numpy() * _DECAYED[ages])


def ages_in_days(days: pl.Series, until: date) -> NDArray[np.int32]:
    """How long ago days were, none of them null: int32 [n]."""
    return np.int32((until - date(1970, 1, 1)).days) - days.to_physical().to_numpy()
