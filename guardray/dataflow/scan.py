"""What a scan is made of, whatever engine runs it: objects in, sightings out, and how far it has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from guardray.context.intel import IndicatorStore
from guardray.dataflow.shard import END_OF_TIME, microseconds
from guardray.detectors.declare import Detector
from guardray.errors import DetectorError
from guardray.findings.sighting import Sighting, SightingFold
from guardray.sources.objects import InputObject, KeyFilter
from guardray.sources.reader import Counts, Limits
from guardray.sources.set_aside import SetAside

BEGINNING_OF_TIME = -END_OF_TIME


@dataclass(frozen=True, kw_only=True)
class ScanSettings:
    """Everything that shapes what a scan finds, equal for every engine and worker."""

    detectors: tuple[Detector, ...]
    indicators: IndicatorStore
    limits: Limits = field(default_factory=Limits)
    key_filter: KeyFilter = field(default_factory=KeyFilter)
    s3_endpoint: str | None = None


class Observer:
    """Hears how a scan goes on. Every method may be called many times, always from the caller's own thread."""

    def on_objects_done(self, objects: Sequence[InputObject], counts: Counts) -> None:
        """These objects are read; `counts` is the total so far."""

    def on_set_aside(self, set_aside: SetAside) -> None:
        """A row or an object could not be used."""

    def on_findings(self, findings: int) -> None:
        """So many findings are known so far; windows that are still open have not spoken."""


@dataclass
class ScanResult:
    """What came out: `sightings` in the order of their keys, complete and folded."""

    sightings: list[Sighting]
    counts: Counts
    duplicates: int = 0
    problems: list[DetectorError] = field(default_factory=list)


class Engine(Protocol):
    """Runs a scan. All engines give equal sightings for equal events."""

    def scan(self, objects: Sequence[InputObject], observer: Observer) -> ScanResult:
        """Reads every object once and gives what the detectors saw."""


class Watermark:
    """The time before which no event on time can come any more, since all objects that could hold one are read.

    Args:
        objects: as `locate` sorts them, undated ones first and then by key time. An undated object may hold any
            time, so nothing closes before the last of them is read.
        lateness: how much earlier than its object's key time an event may be and still count as on time.
    """

    def __init__(self, objects: Sequence[InputObject], lateness: timedelta) -> None:
        self._key_times = [obj.key_time for obj in objects]
        self._positions = {obj.url: position for position, obj in enumerate(objects)}
        self._done = bytearray(len(objects))
        self._first_open = 0
        self._lateness = lateness

    def done(self, obj: InputObject) -> None:
        """The object is read and what it holds is merged."""
        self._done[self._positions[obj.url]] = 1
        while self._first_open < len(self._done) and self._done[self._first_open]:
            self._first_open += 1

    @property
    def value(self) -> int:
        """Microseconds since 1970."""
        if self._first_open == len(self._done):
            return END_OF_TIME
        return self._bound(self._key_times[self._first_open])

    def _bound(self, key_time: datetime | None) -> int:
        return BEGINNING_OF_TIME if key_time is None else microseconds(key_time - self._lateness)


class Collected:
    """Folds the sightings of a running scan and tells the observer when there are more findings."""

    def __init__(self, observer: Observer) -> None:
        self._fold = SightingFold()
        self._observer = observer

    def add(self, sightings: Sequence[Sighting]) -> None:
        before = len(self._fold)
        for sighting in sightings:
            self._fold.add(sighting)
        if len(self._fold) != before:
            self._observer.on_findings(len(self._fold))

    def sightings(self) -> list[Sighting]:
        return self._fold.sightings()
