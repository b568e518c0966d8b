"""Rows of an activity: made from events, and merged in any order to the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from guardray.detectors.activity import Activity, ActivityMeasure, DistinctTexts, Hours, Sample
from guardray.schema.columns import UTC_US
from guardray.stats.hashing import NULL_HASH, hash_combine, hash_strings
from guardray.stats.measures import Count, Max, Min, Sum

START, END = "window_start", "window_end"
FIRST, LAST = "first_seen", "last_seen"
LATEST, LATEST_TIME, LATEST_DIGEST = "_latest", "_latest_time", "_latest_digest"
"""The latest of the rows that one row stands for, as a struct of its columns, and what tells it from the others."""

IS_REST = "_is_rest"
"""Whether a row stands for all those that there was no room for. What it is grouped by is null, but for whose it is."""

_INDEX, _RANK, _HOUR_BIT = "_index", "_rank", "_hour_bit"
_HOUR_US = 3_600_000_000
_HASHES = 2.0**64


def summarise(activity: Activity, events: pl.DataFrame) -> pl.DataFrame:
    """One row for each period and combination of the activity's group.

    Args:
        events: enriched rows that the activity wants, with `digest` (UInt64) and `last_seen`.

    Returns:
        The group, `_is_rest`, `window_start`, the measures as `merge` takes them, `first_seen`, `last_seen`, and the
        latest row. As many as the activity has room for.
    """
    events = events.with_columns(**dict(activity.derived))
    period = int(activity.period.total_seconds() * 1_000_000)
    time = pl.col("time").to_physical()
    hashed = [
        pl.Series(_hashes(measure), hash_strings(events[measure.column]))
        for measure in activity.measures.values()
        if isinstance(measure, DistinctTexts)
    ]
    if any(isinstance(measure, Hours) for measure in activity.measures.values()):
        hashed.append(_hour_bits(events["time"]))
    rows = (
        events.lazy()
        .with_columns(*hashed, (time - time % period).cast(UTC_US).alias(START), pl.lit(False).alias(IS_REST))
        .with_row_index(_INDEX)
        .group_by(*activity.group, IS_REST, START)
        .agg(
            *(_first_state(measure).alias(name) for name, measure in activity.measures.items()),
            pl.col("time").min().alias(FIRST),
            pl.col("last_seen").max().alias(LAST),
            pl.col(_INDEX).sort_by("time", "digest").last(),
        )
        .collect()
    )
    latest = events[rows[_INDEX]]
    kept = latest if activity.latest is None else latest.select(_latest_columns(activity))
    every = rows.drop(_INDEX).with_columns(
        kept.to_struct(LATEST), latest["time"].alias(LATEST_TIME), latest["digest"].alias(LATEST_DIGEST)
    )
    return _with_room(activity, every)


def _latest_columns(activity: Activity) -> list[str]:
    """What findings are told by in any case, and what the detectors of the activity ask for."""
    told = ("cloud_account_uid", "cloud_region", "digest", *(activity.latest or ()))
    return [name for name in dict.fromkeys(told) if name not in activity.group] or ["digest"]


def merge(activity: Activity, parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Rows of several parts as one of each period and combination."""
    if len(parts) == 1:
        return parts[0]
    return _with_room(activity, _merged(activity, pl.concat(parts)))


def _merged(activity: Activity, every: pl.DataFrame) -> pl.DataFrame:
    latest = (LATEST, LATEST_TIME, LATEST_DIGEST)
    rows = (
        every.lazy()
        .with_row_index(_INDEX)
        .group_by(*activity.group, IS_REST, START)
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


def _with_room(activity: Activity, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows, of whom there is no room for with those of the greatest hashes as one.

    A row that is left out of a part has enough others before it in the whole as well. So what is kept is complete, and
    the same however the events were cut.
    """
    whose = (*activity.room, START)
    crowded = rows.group_by(whose).agg(pl.len().alias(_RANK)).filter(pl.col(_RANK) > activity.most)
    if crowded.is_empty():
        return rows
    of_crowded = rows.join(crowded.drop(_RANK), on=whose, how="semi", nulls_equal=True)
    others = rows.join(crowded.drop(_RANK), on=whose, how="anti", nulls_equal=True)
    hashed = of_crowded.with_columns(pl.Series(_RANK, _group_hashes(activity, of_crowded)))
    rank = pl.when(~pl.col(IS_REST)).then(_RANK).rank("ordinal").over(whose)
    is_kept = hashed.select((rank <= activity.most).fill_null(False)).to_series()
    nothing = {name: pl.lit(None, rows.schema[name]) for name in activity.group if name not in activity.room}
    rest = of_crowded.filter(~is_kept).with_columns(**nothing, **{IS_REST: pl.lit(True)})
    return pl.concat([others, of_crowded.filter(is_kept), _merged(activity, rest).select(rows.columns)])


def crowded(activity: Activity, rows: pl.DataFrame) -> pl.DataFrame:
    """Whose rows there was no room for, and when: the estimated number of groups (`kinds`), the period, the owner.

    Most of them first. The estimate is within some percent, as that of `DistinctTexts` is.
    """
    whose = (START, *activity.room)
    of_rest = rows.filter(IS_REST).select(whose)
    kept = rows.filter(~pl.col(IS_REST)).join(of_rest, on=whose, how="semi", nulls_equal=True)
    greatest = pl.Series(_RANK, _group_hashes(activity, kept) if kept.height else [], pl.UInt64)
    found = kept.with_columns(greatest).group_by(whose).agg(pl.col(_RANK).max())
    kinds = ((activity.most - 1) / (pl.col(_RANK) / _HASHES)).round().cast(pl.Int64).alias("kinds")
    return found.select(kinds, *whose).sort("kinds", *whose, descending=True)


def _group_hashes(activity: Activity, rows: pl.DataFrame) -> np.ndarray:
    """A hash of what each row is grouped by, whatever its period: uint64 [n]."""
    return hash_combine(*(_group_hash(rows[name]) for name in activity.group))


def _group_hash(column: pl.Series) -> np.ndarray:
    if column.dtype in (pl.String, pl.Categorical) or isinstance(column.dtype, pl.Enum):
        return hash_strings(column)
    words = column.to_physical().cast(pl.Int64).fill_null(0).to_numpy().astype(np.uint64)
    return np.where(column.is_null().to_numpy(), np.uint64(NULL_HASH), words)


def read(activity: Activity, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows as detectors see them: all columns of the latest row of each, the group, measures, times and labels."""
    values = {name: _value(name, measure) for name, measure in activity.measures.items()}
    ends = pl.col(START) + pl.duration(microseconds=int(activity.period.total_seconds() * 1_000_000))
    seen = rows.with_columns(**values).with_columns(ends.alias(END)).drop(LATEST_TIME, LATEST_DIGEST)
    own = {*seen.columns, LATEST}
    fields = [field.name for field in rows.schema[LATEST].fields if field.name not in own]  # type: ignore[attr-defined]
    shown = seen.with_columns(pl.col(LATEST).struct.field(name) for name in fields).drop(LATEST)
    return shown.with_columns(**dict(activity.labels))


def _hour_bits(times: pl.Series) -> pl.Series:
    """The bit of each time's hour: UInt32 [n]."""
    hours = times.to_physical().to_numpy() // _HOUR_US % 24
    return pl.Series(_HOUR_BIT, np.left_shift(np.uint32(1), hours.astype(np.uint32)))


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
        case Hours():
            return pl.col(_HOUR_BIT).bitwise_or()


def _merged_state(name: str, measure: ActivityMeasure) -> pl.Expr:
    match measure:
        case Count() | Sum():
            return pl.col(name).sum()
        case Min():
            return pl.col(name).min()
        case Max():
            return pl.col(name).max()
        case Hours():
            return pl.col(name).bitwise_or()
        case DistinctTexts(_, most) | Sample(_, most):
            return pl.col(name).list.explode(keep_nulls=False, empty_as_null=False).unique().sort().head(most)


def _value(name: str, measure: ActivityMeasure) -> pl.Expr:
    if not isinstance(measure, DistinctTexts):
        return pl.col(name)
    known = pl.col(name).list.len()
    # k least of n evenly spread hashes: the greatest of them lies at about k / n of their range.
    estimate = (measure.most - 1) / (pl.col(name).list.last() / _HASHES)
    return pl.when(known < measure.most).then(known).otherwise(estimate.round()).cast(pl.Int64)
