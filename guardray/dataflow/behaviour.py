"""From rows of an activity that crossed to the occurrences that a finding tells of."""

from __future__ import annotations

import polars as pl

from guardray.detectors.declare import ActivityDetector
from guardray.stats.hashing import hash_combine

OTHERS_KEPT = 49
"""With the one that is told of, 50 rows; GuardDuty lists at most 20 APIs of each kind."""

_SCORE = "_score"


def told(detector: ActivityDetector, crossed: pl.DataFrame) -> pl.DataFrame:
    """The crossing rows, or the first of those that belong together, as `sightings_of` takes them.

    Their `time` is when what they stand for began. `others` (Object) has the rest of those that belong together.
    """
    starts = crossed["window_start"].to_physical().to_numpy()
    rows = crossed.with_columns(
        pl.col("first_seen").alias("time"),
        pl.Series("digest", hash_combine(crossed["digest"].to_numpy(), starts)),
        detector.score.alias(_SCORE),
    )
    if not detector.together:
        return rows.drop(_SCORE).with_columns(_objects([[]] * rows.height))
    ordered = rows.sort(_SCORE, "last_seen", "digest", descending=True).drop(_SCORE)
    together = dict.fromkeys(("window_start", *detector.activity.owner, *detector.together))
    groups = ordered.group_by(*together, maintain_order=True).agg(
        pl.struct(_summary_columns(detector, ordered)).slice(1, OTHERS_KEPT).alias("others"),
        pl.all().exclude("time", "first_seen", "last_seen").first(),
        pl.col("first_seen").min().alias("time"),
        pl.col("first_seen").min(),
        pl.col("last_seen").max(),
    )
    return groups.with_columns(_objects(groups["others"].to_list()))


def _summary_columns(detector: ActivityDetector, rows: pl.DataFrame) -> list[str]:
    """What others are told of: not all columns of the latest row of each, but what it was counted by and learned."""
    activity = detector.activity
    learned = tuple(f"{name}_" for name in (*activity.habits, *activity.levels))
    own = {*activity.group, *activity.measures, "first_seen", "last_seen"}
    return [name for name in rows.columns if name in own or name.startswith(learned)]


def _objects(values: list[list[dict[str, object]]]) -> pl.Series:
    return pl.Series("others", values, dtype=pl.Object)
