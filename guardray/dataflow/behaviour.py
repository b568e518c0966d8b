"""What detectors of behaviour see: from rows of activities to the occurrences that findings tell of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import polars as pl

from guardray.dataflow.hits import sightings_of
from guardray.dataflow.occurrences import told
from guardray.dataflow.scoring import AT, FeatureRows, Scoring
from guardray.dataflow.switching_off import Fuses
from guardray.detectors.declare import ActivityDetector
from guardray.detectors.features import specs_of
from guardray.errors import DetectorError, LeftOutError
from guardray.findings.sighting import Sighting
from guardray.models.scorer import Scorer
from guardray.shards.activities import ActivityTable


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
                    sightings += self._closed(name, rows)
        return sightings

    def open(self) -> list[Sighting]:
        """What has crossed in periods that are still open, as far as what came before them is known."""
        sightings: list[Sighting] = []
        for name, table in self._fuses.whole(self._tables):
            with self._fuses.of(name):
                for detectors, view in self._views(name, table.open()):
                    sightings += self._seen(detectors, view, self._masks(detectors, view), {})
        return sightings

    def _closed(self, activity: str, rows: pl.DataFrame) -> list[Sighting]:
        """What crossed in a period that is over. What is told of weighs nothing in what is learned."""
        sightings: list[Sighting] = []
        flagged = np.zeros(rows.height, dtype=bool)
        for detectors, view in self._views(activity, rows):
            masks = self._masks(detectors, view)
            is_told = masks.select(pl.any_horizontal(pl.all())).to_series()
            flagged[view[AT].filter(is_told).to_numpy()] = True
            if self._archive is not None and detectors[0].spec is not None:
                self._archive.add(detectors[0].spec, view, is_told)
            sightings += self._seen(detectors, view, masks, self._left_out)
        self._tables[activity].flag(pl.Series(flagged))
        return sightings

    def _views(self, activity: str, rows: pl.DataFrame) -> Iterator[tuple[list[ActivityDetector], pl.DataFrame]]:
        """Detectors of an activity with the rows of a period that they look at, none of them without any.

        Those that models help look at the days of whoever did anything new, scored; the others at all.
        """
        numbered = rows.with_row_index(AT)
        for has_spec in (False, True):
            detectors = [one for one in self._detectors[activity] if (one.spec is not None) == has_spec]
            if detectors:
                view = self._scoring[activity].scored(numbered) if has_spec else numbered
                if view.height:
                    yield detectors, view

    def _seen(
        self, of: list[ActivityDetector], rows: pl.DataFrame, masks: pl.DataFrame, left_out: dict[str, int]
    ) -> list[Sighting]:
        sightings: list[Sighting] = []
        for finding_type, detector in self._fuses.whole({one.finding_type: one for one in of}):
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

    def _masks(self, detectors: list[ActivityDetector], rows: pl.DataFrame) -> pl.DataFrame:
        """Which rows cross for each detector: Boolean columns by finding type, without nulls."""
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
