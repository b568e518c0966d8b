"""How much is usual a day: what was counted on the latest days, and how far today's is above it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from guardray.detectors.activity import LAST_DAY, Level
from guardray.shards.learned import DAYS, looked_up, not_learned, of_rows

LEVEL_DAYS = 30
"""Days with any activity that a level is taken from: enough for a median that one odd day does not move."""

SIGMA = 1.4826
"""The standard deviation of a normal distribution, in median absolute deviations."""

LEAST_OCTAVES = 0.5
"""What counts as spread at least: who does the same every day may do half as much again and is not odd."""

FEW_DAYS = 4
"""With as many earlier days a deviation is taken to be half as certain again, with more of them less so."""

LATELY_DAYS = 2
"""So many of the latest days are left out of what was the greatest before: what goes on for some days is then not
compared with itself."""

_TOTALS = "totals"
_STATISTICS = ("median", "mad", "max", "max_before", "octave", "spread", "history")


def level_table(level: Level, columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """An empty table of the days of a level: as whole numbers of 64 bits, or of 32 where it counts rows itself."""
    kind = pl.Int64() if isinstance(level.measure, str) else pl.Int32()
    key = {name: columns[name] for name in level.of}
    return pl.DataFrame(schema={**key, DAYS: pl.UInt32(), LAST_DAY: pl.Date(), _TOTALS: pl.List(kind)})


def with_level(rows: pl.DataFrame, name: str, level: Level, table: pl.DataFrame) -> list[pl.Series]:
    """The columns that `Level` promises for rows of one day."""
    today = rows.select(level.amount.over(level.of).cast(pl.Int64).alias(f"{name}_today")).to_series()
    known = looked_up(rows, _statistics(of_rows(rows, table, level.of), level), level.of, _STATISTICS)
    octaves = pl.DataFrame({"today": today}).select(_octaves(pl.col("today").fill_null(0))).to_series()
    history = known["history"].fill_null(0)
    spread = (SIGMA * known["spread"]).clip(LEAST_OCTAVES) * (1 + FEW_DAYS / history.clip(1)).sqrt()
    return [
        today,
        known["median"].alias(f"{name}_median"),
        known["mad"].alias(f"{name}_mad"),
        known["max"].alias(f"{name}_max"),
        known["max_before"].alias(f"{name}_max_before"),
        history.alias(f"{name}_history"),
        ((octaves - known["octave"]) / spread).alias(f"{name}_z"),
    ]


def _octaves(value: pl.Expr) -> pl.Expr:
    return (value.clip(0) + 1).log(2)


def _statistics(table: pl.DataFrame, level: Level) -> pl.DataFrame:
    """What is usual, once a key."""
    totals = pl.col(_TOTALS)
    return (
        table.with_columns(totals.list.eval(_octaves(pl.element())).alias("octaves"))
        .with_columns(totals.list.median().alias("median"), pl.col("octaves").list.median().alias("octave"))
        .select(
            *level.of,
            "median",
            "octave",
            (totals - pl.col("median")).list.eval(pl.element().abs()).list.median().alias("mad"),
            (pl.col("octaves") - pl.col("octave")).list.eval(pl.element().abs()).list.median().alias("spread"),
            totals.list.max().alias("max"),
            totals.list.head((totals.list.len().cast(pl.Int64) - LATELY_DAYS).clip(0)).list.max().alias("max_before"),
            totals.list.len().alias("history"),
        )
    )


def learn_level(table: pl.DataFrame, level: Level, rows: pl.DataFrame, day: date) -> pl.DataFrame:
    """The table with a day's rows taken in."""
    amount = level.amount.cast(table.schema[_TOTALS].inner, strict=False)  # type: ignore[attr-defined]
    today = (
        not_learned(rows, table, level.of, day)
        .group_by(level.of)
        .agg(
            pl.lit(1, pl.UInt32).alias(DAYS),
            pl.lit(day).alias(LAST_DAY),
            pl.concat_list(amount).first().alias(_TOTALS),
        )
    )
    both = pl.concat([table, today.select(table.columns)])
    merged = both.group_by(level.of, maintain_order=True).agg(
        pl.col(DAYS).sum(),
        pl.col(LAST_DAY).max(),
        pl.col(_TOTALS).list.explode(keep_nulls=False, empty_as_null=False).tail(LEVEL_DAYS),
    )
    return merged.select(table.columns)
