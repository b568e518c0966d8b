"""What a scan is made of, whatever engine runs it: objects in, sightings out, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

import polars as pl

from guardray.context.enrich import Surroundings
from guardray.dataflow.baseline import Baseline
from guardray.dataflow.event_time import BEGINNING_OF_TIME, END_OF_TIME, microseconds
from guardray.dataflow.ownership import Ownership
from guardray.detectors.declare import Detector
from guardray.errors import DetectorError
from guardray.findings.sighting import SETTLED, Sighting, SightingFold, SightingKey
from guardray.geo.geography import Geography
from guardray.intel.store import IndicatorStore
from guardray.inventory import FACTS, Inventory
from guardray.models.scorer import Scorer
from guardray.sources.limits import Counts, Limits
from guardray.sources.objects import InputObject, KeyFilter
from guardray.sources.set_aside import SetAside


@dataclass(frozen=True, kw_only=True)
class ScanSettings:
    """Everything that shapes what a scan finds, equal for every engine and worker."""

    detectors: tuple[Detector, ...]
    indicators: IndicatorStore
    geography: Geography | None = None  # None: the columns stay null
    assets: pl.DataFrame = field(default_factory=FACTS.to_frame)  # facts of the inventory that are known beforehand
    baseline: Baseline = field(default_factory=Baseline)  # what is learned beforehand
    scorer: Scorer | None = None  # models of what is usual
    archives: bool = False  # whether what models are to learn from is kept
    limits: Limits = field(default_factory=Limits)
    key_filter: KeyFilter = field(default_factory=KeyFilter)
    s3_endpoint: str | None = None

    @property
    def surroundings(self) -> Surroundings:
        """What batches are enriched with."""
        return Surroundings(self.indicators, self.geography)


class Observer:
    """Hears how a scan goes on. Every method may be called many times, always from the caller's own thread."""

    def on_objects_done(self, objects: Sequence[InputObject], counts: Counts) -> None:
        """These objects are read; `counts` is the total so far."""

    def on_set_aside(self, set_aside: SetAside) -> None:
        """A row or an object could not be used."""

    def on_findings(self, findings: int) -> None:
        """So many findings are known so far, those included that a window which is still open has shown early."""


@dataclass
class ScanResult:
    """What came out: `sightings` in the order of their keys, complete and folded.

    `objects` are the content digests of what was read, the same whatever the files are called. `inventory` is what
    was known beforehand and what the trail told; `learned` is the baseline with what these objects added to it.
    `features` is what models are to learn from, by spec, where that was asked for.
    """

    sightings: list[Sighting]
    counts: Counts
    objects: frozenset[int]
    inventory: Inventory
    learned: Baseline
    duplicates: int = 0
    problems: list[DetectorError] = field(default_factory=list)
    features: Mapping[str, pl.DataFrame] = field(default_factory=dict)


class Engine(Protocol):
    """Runs a scan. All engines give equal sightings for equal events."""

    def scan(self, objects: Sequence[InputObject], observer: Observer) -> ScanResult:
        """Reads every object once and gives what the detectors saw."""


class Watermark:
    """The time before which no event on time can come any more, since all objects that could hold one are read.

    An object without a date may hold any time, so nothing closes before the last of them is read.

    Args:
        objects: all that will be read, in any order.
        lateness: how much earlier than its object's key time an event may be and still count as on time.
    """

    def __init__(self, objects: Sequence[InputObject], lateness: timedelta) -> None:
        bounds = {obj.url: _bound(obj.key_time, lateness) for obj in objects}
        self._open = sorted(bounds, key=bounds.__getitem__, reverse=True)
        self._bounds = bounds
        self._done: set[str] = set()

    def done(self, obj: InputObject) -> None:
        """The object is read and what it holds is merged."""
        self._done.add(obj.url)
        while self._open and self._open[-1] in self._done:
            self._done.discard(self._open.pop())

    @property
    def value(self) -> int:
        """Microseconds since 1970."""
        return self._bounds[self._open[-1]] if self._open else END_OF_TIME


def _bound(key_time: datetime | None, lateness: timedelta) -> int:
    return BEGINNING_OF_TIME if key_time is None else microseconds(key_time - lateness)


class Collected:
    """Folds the sightings of a running scan and tells the observer when there are more findings.

    Args:
        observer: hears of them.
        assets: facts of the inventory that are known beforehand.
    """

    def __init__(self, observer: Observer, assets: pl.DataFrame) -> None:
        self._fold = SightingFold()
        self._ownership = Ownership(assets)
        self._known: set[SightingKey] = set()
        self._observer = observer

    @property
    def inventory(self) -> Inventory:
        """All that is known so far of what is whose."""
        return self._ownership.inventory

    def learn(self, assets: pl.DataFrame) -> None:
        """Facts of the inventory that the trail told."""
        self._ownership.learn(assets)

    def add(self, sightings: Sequence[Sighting]) -> None:
        """Sightings that count. Those that name no instance wait for `settle`."""
        for sighting in sightings:
            if sighting.key.unsettled == SETTLED:
                self._fold.add(sighting)
            else:
                self._ownership.wait(sighting)
        self.announce(sightings)

    def settle(self, watermark: int) -> None:
        """Gives each waiting sighting before the watermark to the instance that had its address then.

        Every change of hands before the watermark must have been learned.
        """
        for sighting in self._ownership.settle(watermark):
            self._fold.add(sighting)

    def announce(self, sightings: Sequence[Sighting]) -> None:
        """Sightings of windows that are still open: told of at once, counted when they close."""
        before = len(self._known)
        self._known.update(replace(sighting.key, unsettled=SETTLED) for sighting in sightings)
        if len(self._known) != before:
            self._observer.on_findings(len(self._known))

    def sightings(self) -> list[Sighting]:
        """All that counts, one a finding, in the order of their keys."""
        self.settle(END_OF_TIME)
        return self._fold.sightings()
