"""Hits of rules that wait until there are enough to fold: most batches hold one or two of a detector, or none."""

from __future__ import annotations

from typing import Any

import polars as pl

from guardray.dataflow.digests import with_digest
from guardray.dataflow.hits import sightings_of
from guardray.dataflow.switching_off import Fuses
from guardray.detectors.declare import Detector, IndicatorDetector
from guardray.findings.sighting import Sighting
from guardray.intel.store import IndicatorStore

ROWS_HELD = 10_000
"""Of one detector. Folding costs two milliseconds however few the rows are; these many bound the memory."""


class HeldHits:
    """Rows that tripped a detector, by detector, folded to sightings by the thousand.

    Args:
        fuses: of the detectors: one whose rows cannot be folded is switched off, and they are let go.
    """

    def __init__(self, fuses: Fuses) -> None:
        self._fuses = fuses
        self._held: dict[str, list[pl.DataFrame]] = {}
        self._detectors: dict[str, Detector] = {}
        self._sightings: list[Sighting] = []
        self._indicators = IndicatorStore()

    def add(self, detector: Detector, rows: pl.DataFrame, indicators: IndicatorStore) -> None:
        """Keep rows that the detector hit, with the lists that they were enriched with."""
        if indicators is not self._indicators:
            self._fold_all()
            self._indicators = indicators
        held = self._held.setdefault(detector.finding_type, [])
        self._detectors[detector.finding_type] = detector
        held.append(rows)
        if sum(part.height for part in held) >= ROWS_HELD:
            self._fold(detector)

    def take(self) -> list[Sighting]:
        """The sightings of all rows since the last call."""
        self._fold_all()
        taken, self._sightings = self._sightings, []
        return taken

    def _fold_all(self) -> None:
        for finding_type in list(self._held):
            self._fold(self._detectors[finding_type])

    def _fold(self, detector: Detector) -> None:
        held = self._held.pop(detector.finding_type)
        if not self._fuses.holds(detector.finding_type):
            return
        with self._fuses.of(detector.finding_type):
            rows = pl.concat(held)
            if isinstance(detector, IndicatorDetector):
                rows = matched(detector, rows, self._indicators)
            if rows.height:
                self._sightings.extend(sightings_of(detector, with_digest(rows, detector.schema)))


def matched(detector: IndicatorDetector, hits: pl.DataFrame, indicators: IndicatorStore) -> pl.DataFrame:
    """The hits with the list entries that name them, in the Object column `indicators`.

    Entries that had expired when the event happened do not count, so that hits may fall away.
    """
    keys = list(map(_hashable, hits.select("cloud_account_uid", "cloud_region", *detector.indicator).iter_rows()))
    entries = {  # mostly many rows are alike
        key: indicators.matches(_flat(key[2:]), detector.categories, account_id=key[0], region=key[1])
        for key in set(keys)
    }
    found = [
        tuple(entry for entry in entries[key] if not entry.has_expired(time))
        for key, time in zip(keys, hits["time"], strict=True)
    ]
    listed = hits.with_columns(pl.Series("indicators", found, dtype=pl.Object))
    return listed if all(found) else listed.filter(pl.Series(map(bool, found)))


def _hashable(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(tuple(cell) if isinstance(cell, list) else cell for cell in row)


def _flat(row: tuple[Any, ...]) -> list[Any]:
    """The values of a row, those of lists one by one."""
    return [value for cell in row for value in (cell if isinstance(cell, tuple) else (cell,))]
