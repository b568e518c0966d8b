"""Rows of an activity: made from events, and merged in any order to the same."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from guardray.detectors.activity import Activity, ActivityMeasure, DistinctTexts, Sample
from guardray.schema.columns import UTC_US
from guardray.stats.hashing import hash_strings
from guardray.stats.measures import Count, Max, Min, Sum

START, END = "window_start", "window_end"
FIRST, LAST = "first_seen", "last_seen"
LATEST, LATEST_TIME, LATEST_DIGEST = "_latest", "_latest_time", "_latest_digest"
"""The latest of the rows that one row stands for, as a struct of all its columns, and what tells it from the others."""

_INDEX = "_index"
_HASHES = 2.0**64


def summarise(activity: Activity, events: pl.DataFrame) -> pl.DataFrame:
    """One row for each period and combination of the activity's group.

    Args:
        events: enriched rows that the activity wants, with `digest` (UInt64) and `last_seen`.

    Returns:
        The group, `window_start`, the measures as `merge` takes them, `first_seen`, `last_seen`, and the latest row.
    """
    events = events.with_columns(**dict(activity.derived))
    period = int(activity.period.total_seconds() * 1_000_000)
    time = pl.col("time").to_physical()
    hashed = [
        pl.Series(_hashes(measure), hash_strings(events[measure.column]))
        for measure in activity.measures.values()
        if isinstance(measure, DistinctTexts)
    ]
    rows = (
        events.lazy()
        .with_columns(*hashed, (time - time % period).cast(UTC_US).alias(START))
        .with_row_index(_INDEX)
        .group_by(*activity.group, START)
        .agg(
            *(_first_state(measure).alias(name) for name, measure in activity.measures.items()),
            pl.col("time").min().alias(FIRST),
            pl.col("last_seen").max().alias(LAST),
            pl.col(_INDEX).sort_by("time", "digest").last(),
        )
        .collect()
    )
    latest = events[rows[_INDEX]]
    return rows.drop(_INDEX).with_columns(
        latest.to_struct(LATEST), latest["time"].alias(LATEST_TIME), latest["digest"].alias(LATEST_DIGEST)
    )


def merge(activity: Activity, parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Rows of several parts as one of each period and combination."""
    if len(parts) == 1:
        return parts[0]
    every = pl.concat(parts)
    latest = (LATEST, LATEST_TIME, LATEST_DIGEST)
    rows = (
        every.lazy()
        .with_row_index(_INDEX)
        .group_by(*activity.group, START)
        .agg(
            *(_merged_state(name, measure) for name, measure in activity.measures.items()),
            pl.col(FIRST).min(),
            pl.col(LAST).max(),
            pl.col(_INDEX).sort_by(LATEST_TIME, LATEST_DIGEST).last(),
        )
        .collect()
    )
    # Gathered by index, since sorting structs within groups takes ten times as long.
    return rows.drop(_INDEX).with_columns(every.select(latest)[rows[_INDEX]])


def read(activity: Activity, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows as detectors see them: all columns of the latest row of each, the group, measures and times."""
    values = {name: _value(name, measure) for name, measure in activity.measures.items()}
    ends = pl.col(START) + pl.duration(microseconds=int(activity.period.total_seconds() * 1_000_000))
    seen = rows.with_columns(**values).with_columns(ends.alias(END)).drop(LATEST_TIME, LATEST_DIGEST)
    own = {*seen.columns, LATEST}
    fields = [field.name for field in rows.schema[LATEST].fields if field.name not in own]  # type: ignore[attr-defined]
    return seen.with_columns(pl.col(LATEST).struct.field(name) for name in fields).drop(LATEST)


def _hashes(measure: DistinctTexts) -> str:
    return f"_hash_{measure.column}"


def _first_state(measure: ActivityMeasure) -> pl.Expr:
    match measure:
        case Count():
            return pl.len().cast(pl.Int64)
        case Sum(column):
            return pl.col(column).cast(pl.Int64).sum()
        case Min(column):
            return pl.col(column).cast(pl.Int64).min()
        case Max(column):
            return pl.col(column).cast(pl.Int64).max()
        case DistinctTexts(column, most):
            known = pl.col(_hashes(measure)).filter(pl.col(column).is_not_null())
            return known.unique().bottom_k(most).sort()
        case Sample(column, most):
            return pl.col(column).drop_nulls().unique().sort().head(most)


def _merged_state(name: str, measure: ActivityMeasure) -> pl.Expr:
    match measure:
        case Count() | Sum():
            return pl.col(name).sum()
        case Min():
            return pl.col(name).min()
        case Max():
            return pl.col(name).max()
        case DistinctTexts(_, most) | Sample(_, most):
            return pl.col(name).list.explode(keep_nulls=False, empty_as_null=False).unique().sort().head(most)


def _value(name: str, measure: ActivityMeasure) -> pl.Expr:
    if not isinstance(measure, DistinctTexts):
        return pl.col(name)
    known = pl.col(name).list.len()
    # k least of n evenly spread hashes: the greatest of them lies at about k / n of their range.
    estimate = (measure.most - 1) / (pl.col(name).list.last() / _HASHES)
    return pl.when(known < measure.most).then(known).otherwise(estimate.round()).cast(pl.Int64)
