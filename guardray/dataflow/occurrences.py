"""Rows of an activity that crossed, as the occurrences that findings tell of."""

from __future__ import annotations

import polars as pl

from guardray.detectors.declare import ActivityDetector
from guardray.stats.hashing import hash_combine

OTHERS_KEPT = 49
"""With the one that is told of, 50 rows; GuardDuty lists at most 20 APIs of each kind."""

_SCORE = "_score"


def told(detector: ActivityDetector, crossed: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The crossing rows, or the first of those that belong together, as `sightings_of` takes them.

    Their `time` is when what they stand for began. `others` (Object) has the rest of those that belong together.

    Returns:
        The most telling ones that the detector has room for, and how many are left out.
    """
    starts = crossed["window_start"].to_physical().to_numpy()
    rows = crossed.with_columns(
        pl.col("first_seen").alias("time"),
        pl.Series("digest", hash_combine(crossed["digest"].to_numpy(), starts)),
        detector.score.alias(_SCORE),
    )
    ordered = rows.sort(_SCORE, "last_seen", "digest", descending=True).drop(_SCORE)
    if not detector.together:
        kept = _with_room(detector, ordered)
        return kept.with_columns(_objects([[]] * kept.height)), ordered.height - kept.height
    together = dict.fromkeys(("window_start", *detector.activity.owner, *detector.together))
    groups = ordered.group_by(*together, maintain_order=True).agg(
        pl.struct(_summary_columns(detector, ordered)).slice(1, OTHERS_KEPT).alias("others"),
        pl.all().exclude("time", "first_seen", "last_seen").first(),
        pl.col("first_seen").min().alias("time"),
        pl.col("first_seen").min(),
        pl.col("last_seen").max(),
    )
    kept = _with_room(detector, groups)
    return kept.with_columns(_objects(kept["others"].to_list())), groups.height - kept.height


def _with_room(detector: ActivityDetector, ordered: pl.DataFrame) -> pl.DataFrame:
    """The first rows of each period and of each that has room of its own, as many as the detector tells of."""
    if detector.most is None:
        return ordered
    whose = ("window_start", *detector.activity.room)
    return ordered.filter(pl.int_range(pl.len()).over(whose) < detector.most)


def _summary_columns(detector: ActivityDetector, rows: pl.DataFrame) -> list[str]:
    """What others are told of: not all columns of the latest row of each, but what it was counted by and learned."""
    activity = detector.activity
    learned = tuple(f"{name}_" for name in (*activity.habits, *activity.levels, *activity.rhythms))
    own = {*activity.group, *activity.measures, *activity.labels, "first_seen", "last_seen", "anomaly"}
    return [name for name in rows.columns if name in own or name.startswith(learned)]


def _objects(values: list[list[dict[str, object]]]) -> pl.Series:
    return pl.Series("others", values, dtype=pl.Object)
