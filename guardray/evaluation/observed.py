"""What was seen in logs, kept so that days can be judged again and again: with other models, other thresholds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from guardray.context.enrich import Surroundings
from guardray.dataflow.ingest import ROWS_BETWEEN_DRAINS, Ingest
from guardray.dataflow.scan import Observer, Watermark
from guardray.dataflow.shard import Shard
from guardray.detectors.declare import ActivityDetector, Detector
from guardray.detectors.loader import load_detectors
from guardray.findings.sighting import Sighting
from guardray.geo.geography import Geography
from guardray.intel.library import load_indicators
from guardray.inventory import FACTS
from guardray.shards import activity_rows
from guardray.sources.limits import Limits
from guardray.sources.objects import InputObject, KeyFilter, locate
from guardray.sources.reader import Batch, Reader

Progress = Callable[[int, int], None]
"""Called with the objects that are read and how many there are."""


def behaviour_detectors() -> tuple[Detector, ...]:
    """All detectors that know what is usual, or what content looks like."""
    return tuple(one for one in load_detectors() if one.method == "behaviour")


@dataclass(frozen=True)
class Observed:
    """Logs as detectors of behaviour see them.

    Attributes:
        activities: by activity, the rows of all its days, before anything is known of earlier ones.
        others: what detectors saw that look at no activity; the same whatever is learned.
        events: rows that were read.
    """

    activities: dict[str, pl.DataFrame]
    others: tuple[Sighting, ...]
    events: int


def observe(
    sources: Sequence[str],
    detectors: Sequence[Detector],
    *,
    feeds: Path | None = None,
    state: Path = Path("guardray-data"),
    geography: Geography | None = None,
    limits: Limits = Limits(),  # noqa: B008
    progress: Progress | None = None,
) -> Observed:
    """Read logs once.

    Args:
        sources: files, folders or buckets.
        detectors: what is to be seen.
        feeds: a list of feeds, as `scan --intel` takes it.
        state: where copies of lists are kept.
        geography: where addresses are; the shipped tables without it.
        limits: how late events may be.
        progress: hears of objects that were read.

    Raises:
        UsageError: there are no such files.
    """
    indicators, _ = load_indicators(feeds, (), (), state, offline=True)
    objects = locate(sources, KeyFilter())
    run = _Reading(detectors, Surroundings(indicators, geography or Geography.load((), None)), objects, limits)
    return run.read(objects, progress)


class _Reading(Observer):
    def __init__(
        self, detectors: Sequence[Detector], around: Surroundings, objects: Sequence[InputObject], limits: Limits
    ) -> None:
        self._limits = limits
        self._others = [one for one in detectors if not isinstance(one, ActivityDetector)]
        self._all = {one.activity.name: one.activity for one in detectors if isinstance(one, ActivityDetector)}
        self._shard = Shard(self._others, FACTS.to_frame())
        self._ingest = Ingest(detectors, around, self._shard.first_seen)
        self._watermark = Watermark(objects, limits.lateness)
        self._parts: dict[str, list[pl.DataFrame]] = {}
        self._sightings: list[Sighting] = []
        self._rows = 0

    def read(self, objects: Sequence[InputObject], progress: Progress | None) -> Observed:
        reader, done = Reader(self._limits, key_filter=KeyFilter(), is_new=self._shard.first_object), 0
        for item in reader.read(objects):
            if isinstance(item, Batch):
                self._ingest.on_batch(item.schema, item.frame)
                self._rows += item.frame.height
                if self._rows >= ROWS_BETWEEN_DRAINS:
                    self._drain()
                    self._sightings += self._shard.advance(self._watermark.value)
            elif hasattr(item, "object"):
                done += 1
                self._watermark.done(item.object)
                if progress:
                    progress(done, len(objects))
        self._drain()
        self._sightings += self._shard.finish()
        activities = {name: activity_rows.merge(self._all[name], parts) for name, parts in self._parts.items() if parts}
        return Observed(activities, tuple(self._sightings), reader.counts.read)

    def _drain(self) -> None:
        partials = self._ingest.drain()
        for name, tables in partials.activities.items():
            self._parts.setdefault(name, []).extend(tables)
        partials.activities = {}
        self._sightings += partials.sightings
        self._shard.merge(partials)
        self._rows = 0
