"""An ingest worker: reads objects to their end, and sends what shards must know to their owners."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import polars as pl

from guardray.context.enrich import Surroundings
from guardray.dataflow.ingest import ROWS_BETWEEN_DRAINS, Ingest
from guardray.dataflow.partials import Owners, Partials
from guardray.dataflow.scan import ScanSettings
from guardray.dataflow.volumes import VOLUMES, summed, volumes_of
from guardray.errors import DetectorError
from guardray.findings.sighting import Sighting, SightingFold
from guardray.sources.objects import InputObject
from guardray.sources.reader import Batch, Counts, Reader
from guardray.sources.set_aside import SetAside


@dataclass
class IngestReport:
    """What an ingest worker says of some objects, after their partial aggregates are merged in the shards."""

    sightings: list[Sighting] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    set_aside: list[SetAside] = field(default_factory=list)
    duplicates: int = 0
    problems: list[DetectorError] = field(default_factory=list)
    assets: list[pl.DataFrame] = field(default_factory=list)
    volumes: pl.DataFrame = field(default_factory=VOLUMES.to_frame)
    torn: list[str] = field(default_factory=list)
    """URLs of objects of which a part was merged, and which have to be read again: see `Reader.torn`."""

    def __add__(self, other: IngestReport) -> IngestReport:
        return IngestReport(
            self.sightings + other.sightings,
            self.counts + other.counts,
            self.set_aside + other.set_aside,
            self.duplicates + other.duplicates,
            self.problems + other.problems,
            self.assets + other.assets,
            summed([self.volumes, other.volumes]),
            self.torn + other.torn,
        )


class Shards(Protocol):
    """All shards, as an ingest worker sees them, wherever they are."""

    def __len__(self) -> int:
        """How many there are."""

    def first_seen(self, hashes: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Asks the owner of each event hash: bool [n]. See `Shard.first_seen`."""

    def first_object(self, digest: int, at: int) -> bool:
        """Asks the owner of an object's digest. See `Shard.first_object`."""

    def merge(self, parts: Sequence[Partials]) -> None:
        """Gives each shard its part; they have merged it when this returns."""


class Worker:
    """Works for one process, on one call at a time.

    Args:
        settings: what to look for.
        shards: who keep the state.
        surroundings: what rows are enriched with, where that is not what the settings say, since lists may change.
    """

    def __init__(self, settings: ScanSettings, shards: Shards, surroundings: Surroundings | None = None) -> None:
        self._settings = settings
        self._shards = shards
        self._surroundings = surroundings or settings.surroundings
        self._owners = Owners.of(settings.detectors)

    def process(self, objects: Sequence[InputObject], at: int, lists: str | None = None) -> IngestReport:
        """Reads these objects to their end. When it returns, the shards have merged all that they hold.

        Args:
            at: when they are read, in microseconds since 1970, by which they are forgotten one day.
            lists: name of the lists to look at them with; None, or where those are kept no more: those that hold.
        """
        settings = self._settings
        ingest = Ingest(settings.detectors, self._with_lists(lists), self._shards.first_seen)
        reader = Reader(
            settings.limits,
            key_filter=settings.key_filter,
            s3_endpoint=settings.s3_endpoint,
            is_new=_is_new(self._shards, at),
        )
        report = IngestReport(counts=reader.counts)
        fold = SightingFold()
        rows, volumes = 0, []
        for item in reader.read(objects):
            if isinstance(item, Batch):
                ingest.on_batch(item.schema, item.frame)
                rows += item.frame.height
                volumes.append(volumes_of(item.schema, item.frame))
            elif isinstance(item, SetAside):
                report.set_aside.append(item)
            if rows >= ROWS_BETWEEN_DRAINS:
                report.assets += self._merge(ingest, fold)
                rows = 0
        report.assets += self._merge(ingest, fold)
        report.volumes, report.torn = summed(volumes), reader.torn
        report.sightings, report.duplicates, report.problems = fold.sightings(), ingest.duplicates, ingest.problems
        return report

    def _with_lists(self, name: str | None) -> Surroundings:
        found = None if name is None else self._surroundings.indicators.find(name)
        return self._surroundings if found is None else replace(self._surroundings, indicators=found)

    def _merge(self, ingest: Ingest, fold: SightingFold) -> list[pl.DataFrame]:
        """Sends what was learned so far to the shards, keeps the sightings and gives the assets that were told of."""
        partials = ingest.drain()
        for sighting in partials.sightings:
            fold.add(sighting)
        self._shards.merge(partials.split(len(self._shards), self._owners))
        return partials.assets


def _is_new(shards: Shards, at: int) -> Callable[[int], bool]:
    return lambda digest: shards.first_object(digest, at)
