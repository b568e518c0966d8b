"""What detectors of behaviour see: from rows of activities to the occurrences that findings tell of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from guardray.dataflow.hits import sightings_of
from guardray.dataflow.scoring import FeatureRows, Scoring
from guardray.dataflow.switching_off import Fuses
from guardray.detectors.declare import ActivityDetector
from guardray.detectors.features import specs_of
from guardray.errors import DetectorError, LeftOutError
from guardray.findings.sighting import Sighting
from guardray.models.scorer import Scorer
from guardray.shards.activities import ActivityTable
from guardray.stats.hashing import hash_combine

OTHERS_KEPT = 49
"""With the one that is told of, 50 rows; GuardDuty lists at most 20 APIs of each kind."""

_SCORE = "_score"


class Behaviour:
    """The detectors of activities, and the tables that they look at.

    Args:
        detectors: all that are switched on.
        tables: the state of their activities, by name.
        fuses: of the detectors and the activities.
        scorer: the models; None: there are none, and the rules of detectors decide alone.
        archive: takes what models are to learn from days that are over; None: nobody asks.

    Attributes:
        failed: by finding type, why its condition or score could not be evaluated.
    """

    def __init__(
        self,
        detectors: Iterable[ActivityDetector],
        tables: Mapping[str, ActivityTable],
        fuses: Fuses,
        scorer: Scorer | None = None,
        archive: FeatureRows | None = None,
    ) -> None:
        self._tables, self._fuses, self._archive = tables, fuses, archive
        self._detectors: dict[str, list[ActivityDetector]] = {name: [] for name in tables}
        for detector in detectors:
            self._detectors[detector.activity.name].append(detector)
        specs = [(name, spec) for name, of in self._detectors.items() for spec in specs_of(of)]
        self._scoring = {name: Scoring(spec, scorer) for name, spec in specs}
        self.failed: dict[str, DetectorError] = {}
        self._left_out: dict[str, int] = {}

    @property
    def problems(self) -> list[DetectorError]:
        """What failed, and what there was no room for."""
        of_tables = (table.left_out for table in self._tables.values())
        untold = [
            LeftOutError(name, f"{left_out:,} occurrences were left out, beside more telling ones of the same day")
            for name, left_out in self._left_out.items()
        ]
        return [*self.failed.values(), *(one for one in of_tables if one is not None), *untold]

    def close(self, watermark: int) -> list[Sighting]:
        """What crossed in periods that end at or before the watermark (microseconds), which are learned from."""
        sightings: list[Sighting] = []
        for name, table in self._fuses.whole(self._tables):
            with self._fuses.of(name):
                for rows in table.close(watermark):
                    if rows.height:
                        sightings += self._closed(name, rows)
        return sightings

    def open(self) -> list[Sighting]:
        """What has crossed in periods that are still open, as far as what came before them is known."""
        sightings: list[Sighting] = []
        for name, table in self._fuses.whole(self._tables):
            with self._fuses.of(name):
                rows = table.open()
                if rows.height:
                    scored = self._scored(name, rows)
                    sightings += self._seen(name, scored, self._masks(name, scored), {})
        return sightings

    def _closed(self, activity: str, rows: pl.DataFrame) -> list[Sighting]:
        """What crossed in a period that is over. What is told of weighs nothing in what is learned."""
        scored = self._scored(activity, rows)
        masks = self._masks(activity, scored)
        flagged = masks.select(pl.any_horizontal(pl.all())).to_series()
        self._tables[activity].flag(flagged)
        if self._archive is not None and activity in self._scoring:
            self._archive.add(self._scoring[activity].spec, rows, flagged)
        return self._seen(activity, scored, masks, self._left_out)

    def _scored(self, activity: str, rows: pl.DataFrame) -> pl.DataFrame:
        scoring = self._scoring.get(activity)
        return rows if scoring is None else scoring.scored(rows)

    def _seen(self, activity: str, rows: pl.DataFrame, masks: pl.DataFrame, left_out: dict[str, int]) -> list[Sighting]:
        sightings: list[Sighting] = []
        detectors = {one.finding_type: one for one in self._detectors[activity]}
        for finding_type, detector in self._fuses.whole(detectors):
            with self._fuses.of(finding_type):
                crossed = rows.filter(masks[finding_type])
                if crossed.height:
                    sightings.extend(self._sightings(detector, crossed, left_out))
        return sightings

    def _sightings(self, detector: ActivityDetector, crossed: pl.DataFrame, left_out: dict[str, int]) -> list[Sighting]:
        """None where the rows cannot be put in order, which is kept. Adds what was left out, by finding type."""
        try:
            occurrences, untold = told(detector, crossed)
        except pl.exceptions.PolarsError as error:
            self.failed[detector.finding_type] = DetectorError(detector.finding_type, str(error))
            return []
        if untold:
            left_out[detector.finding_type] = left_out.get(detector.finding_type, 0) + untold
        return sightings_of(detector, self._tables[detector.activity.name].with_usual(occurrences))

    def _masks(self, activity: str, rows: pl.DataFrame) -> pl.DataFrame:
        """Which rows cross for each detector: Boolean columns by finding type, without nulls."""
        detectors = self._detectors[activity]
        conditions = {one.finding_type: one.crossed.fill_null(False).alias(one.finding_type) for one in detectors}
        try:
            # Lazily, since detectors of an activity share most of what they compute.
            return rows.lazy().select(conditions.values()).collect()
        except pl.exceptions.PolarsError:
            return rows.select(self._alone(name, condition, rows) for name, condition in conditions.items())

    def _alone(self, name: str, condition: pl.Expr, rows: pl.DataFrame) -> pl.Series:
        """The mask of one detector; where it fails, that is kept and no row crosses."""
        try:
            return rows.select(condition).to_series()
        except pl.exceptions.PolarsError as error:
            self.failed[name] = DetectorError(name, str(error))
            return pl.repeat(False, rows.height, eager=True).alias(name)


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
