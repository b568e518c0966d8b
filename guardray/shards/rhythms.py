"""At which hours of the week somebody is active: the hours of the latest days, as a mask of 24 bits each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from guardray.detectors.activity import LAST_DAY, Rhythm
from guardray.shards.learned import DAYS, IS_FLAGGED, looked_up, not_learned, of_rows

RHYTHM_DAYS = 28
"""Days with any activity that are remembered: each weekday four times, 224 bytes."""

NEIGHBOUR = 0.5
"""What activity in an hour tells of the hour before and after it: nobody begins on the minute."""

SAME_KIND, OTHER_KIND = 0.5, 0.1
"""What a day tells of another weekday of its kind (Monday to Friday, or the weekend), and of one of the other kind."""

BY_CHANCE = 1 / 8
"""How likely an hour has any activity of somebody of whom nothing is known: three hours of a day."""

DAYS_OF_CHANCE = 1.0
"""So many days that chance counts for: after a month of office hours, the night has some five bits."""

_MASKS = "masks"
_HOURS = np.arange(24, dtype=np.uint64)
_THURSDAY = 3
"""The weekday of the first day of 1970."""


def rhythm_table(rhythm: Rhythm, columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """An empty table of a rhythm: a day is one number, days since 1970 above the 24 bits of its hours."""
    key = {name: columns[name] for name in rhythm.of}
    return pl.DataFrame(schema={**key, DAYS: pl.UInt32(), LAST_DAY: pl.Date(), _MASKS: pl.List(pl.UInt64())})


def with_rhythm(rows: pl.DataFrame, name: str, rhythm: Rhythm, table: pl.DataFrame, day: date) -> list[pl.Series]:
    """The columns that `Rhythm` promises for rows of one day."""
    known = of_rows(rows, table, rhythm.of).filter(pl.col(_MASKS).list.len() > 0)
    bits = _bits_by_hour(known[_MASKS], _ordinal(day))
    places = known.select(*rhythm.of, pl.int_range(pl.len()).alias("at"), pl.col(_MASKS).list.len().alias("history"))
    found = looked_up(rows, places, rhythm.of, ("at", "history"))
    is_known = found["at"].is_not_null().to_numpy()
    least = np.full(rows.height, np.nan)
    masks = rows[rhythm.measure].fill_null(0).to_numpy()[is_known]
    least[is_known] = _least(bits[found["at"].drop_nulls().to_numpy()], masks)
    return [
        pl.Series(f"{name}_bits", least).fill_nan(None),
        found["history"].fill_null(0).alias(f"{name}_history"),
    ]


def learn_rhythm(table: pl.DataFrame, rhythm: Rhythm, rows: pl.DataFrame, day: date) -> pl.DataFrame:
    """The table with a day's rows taken in, but for those that were flagged."""
    mask = pl.col(rhythm.measure).bitwise_or().cast(pl.UInt64) | pl.lit(_ordinal(day) << 24, pl.UInt64)
    today = (
        not_learned(rows.filter(~pl.col(IS_FLAGGED)), table, rhythm.of, day)
        .group_by(rhythm.of)
        .agg(pl.lit(1, pl.UInt32).alias(DAYS), pl.lit(day).alias(LAST_DAY), mask.alias(_MASKS))
        .with_columns(pl.concat_list(_MASKS))
    )
    both = pl.concat([table, today.select(table.columns)])
    merged = both.group_by(rhythm.of, maintain_order=True).agg(
        pl.col(DAYS).sum(),
        pl.col(LAST_DAY).max(),
        pl.col(_MASKS).list.explode(keep_nulls=False, empty_as_null=False).tail(RHYTHM_DAYS),
    )
    return merged.select(table.columns)


def active_hours(days: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What a table of a rhythm tells: of each day in its lists the weekday, 0 is Monday, [n], and whether there was
    anything in each of its hours, 0 or 1, [n, 24]."""
    packed = days.explode(keep_nulls=False, empty_as_null=False).cast(pl.UInt64).to_numpy()
    weekdays = ((packed >> np.uint64(24)).astype(np.int64) + _THURSDAY) % 7
    return weekdays, ((packed[:, None] >> _HOURS) & np.uint64(1)).astype(np.int64)


def _ordinal(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _bits_by_hour(days: pl.Series, today: int) -> NDArray[np.float64]:
    """How odd each hour of today is for each key: float64 [keys, 24]. No list of days may be empty."""
    if days.is_empty():
        return np.zeros((0, 24))
    packed = days.explode().to_numpy()
    starts = np.concatenate([[0], days.list.len().to_numpy().cumsum()[:-1]]).astype(np.int64)
    active = ((packed[:, None] >> _HOURS) & np.uint64(1)).astype(np.float64)
    about = np.minimum(1.0, active + NEIGHBOUR * (np.roll(active, 1, axis=1) + np.roll(active, -1, axis=1)))
    telling = _telling((packed >> np.uint64(24)).astype(np.int64), today)
    seen = np.add.reduceat(telling[:, None] * about, starts)
    of_all = np.add.reduceat(telling, starts)
    likely = (seen + DAYS_OF_CHANCE * BY_CHANCE) / (of_all + DAYS_OF_CHANCE)[:, None]
    return np.maximum(0.0, -np.log2(likely))


def _telling(days: NDArray[np.int64], today: int) -> NDArray[np.float64]:
    """How much each day tells of today: float64 [n]."""
    weekdays, weekday = (days + _THURSDAY) % 7, (today + _THURSDAY) % 7
    is_weekend = 5
    same_kind = (weekdays >= is_weekend) == (weekday >= is_weekend)
    return np.where(weekdays == weekday, 1.0, np.where(same_kind, SAME_KIND, OTHER_KIND))


def _least(bits: NDArray[np.float64], masks: NDArray[np.uint32]) -> NDArray[np.float64]:
    """The least of the hours that are in each mask: float64 [n], 0 where none is."""
    is_in = ((masks.astype(np.uint64)[:, None] >> _HOURS) & np.uint64(1)).astype(bool)
    least = np.where(is_in, bits, np.inf).min(axis=1)
    return np.where(np.isfinite(least), least, 0.0)
