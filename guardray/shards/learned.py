"""Tables of what was learned by days: one row a key, looked up by whole columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl

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
    found = rows.select(key).join(table, on=list(key), how="left", nulls_equal=True, maintain_order="left")
    return found.select(values)


def of_rows(rows: pl.DataFrame, table: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """The rows of the table that rows have keys of."""
    return table.join(rows.select(key).unique(), on=list(key), how="semi", nulls_equal=True)


def not_learned(rows: pl.DataFrame, table: pl.DataFrame, key: Sequence[str], day: date) -> pl.DataFrame:
    """The rows whose key was not seen on that day or later."""
    return rows.join(table.filter(pl.col(LAST_DAY) >= day), on=list(key), how="anti", nulls_equal=True)


def decay(last: pl.Series, until: date | pl.Series) -> pl.Series:
    """What is left of weights of those days: Float64 [n] in (0, 1], nulls where there is no day."""
    ages = pl.DataFrame({"last": last}).select((pl.lit(until) - pl.col("last")).dt.total_days().alias("ages"))["ages"]
    return pl.Series(_DECAYED).gather(ages.clip(0, len(_DECAYED) - 1))
