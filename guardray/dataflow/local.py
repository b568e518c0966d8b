"""The local engine: one process, one ingest, one shard."""

from __future__ import annotations

from collections.abc import Sequence

from guardray.dataflow.ingest import ROWS_BETWEEN_DRAINS, Ingest
from guardray.dataflow.scan import Collected, Observer, ScanResult, ScanSettings, Watermark
from guardray.dataflow.shard import Shard
from guardray.sources.objects import InputObject
from guardray.sources.reader import Batch, Reader
from guardray.sources.set_aside import SetAside

DRAINS_BETWEEN_NEWS = 4
"""What windows that are still open show costs a twentieth of the time to tell, and is only for whoever watches."""


class LocalEngine:
    """Runs the operators one after another in this process."""

    def __init__(self, settings: ScanSettings) -> None:
        self._settings = settings

    def scan(self, objects: Sequence[InputObject], observer: Observer) -> ScanResult:
        """See `Engine.scan`."""
        run = _LocalRun(self._settings, objects, observer)
        for item in run.reader.read(objects):
            if isinstance(item, Batch):
                run.on_batch(item)
            elif isinstance(item, SetAside):
                observer.on_set_aside(item)
            else:
                run.on_done(item.object)
        return run.finish()


class _LocalRun:
    def __init__(self, settings: ScanSettings, objects: Sequence[InputObject], observer: Observer) -> None:
        self._shard = Shard(
            settings.detectors, settings.assets, settings.baseline, settings.scorer, archives=settings.archives
        )
        self._ingest = Ingest(settings.detectors, settings.surroundings, self._shard.first_seen, self._shard.tables)
        self.reader = Reader(
            settings.limits,
            key_filter=settings.key_filter,
            s3_endpoint=settings.s3_endpoint,
            is_new=self._shard.first_object,
        )
        self._watermark = Watermark(objects, settings.limits.lateness)
        self._collected = Collected(observer, settings.assets)
        self._observer = observer
        self._rows = self._drains = 0

    def on_batch(self, batch: Batch) -> None:
        self._ingest.on_batch(batch.schema, batch.frame)
        self._rows += batch.frame.height
        if self._rows >= ROWS_BETWEEN_DRAINS:
            self._merge()
            self._drains += 1
            if self._drains % DRAINS_BETWEEN_NEWS == 0:
                self._collected.announce(self._shard.crossing())
            self._collected.add(self._shard.advance(self._watermark.value))
            self._collected.settle(self._watermark.value)

    def on_done(self, obj: InputObject) -> None:
        self._watermark.done(obj)
        self._observer.on_objects_done([obj], self.reader.counts)

    def finish(self) -> ScanResult:
        self._merge()
        self._collected.add(self._shard.finish())
        return ScanResult(
            sightings=self._collected.sightings(),
            counts=self.reader.counts,
            objects=self._shard.objects(),
            inventory=self._collected.inventory,
            learned=self._shard.learned(),
            duplicates=self._ingest.duplicates,
            problems=[*self._ingest.problems, *self._shard.problems],
            features=self._shard.drain_features(),
        )

    def _merge(self) -> None:
        partials = self._ingest.drain()
        for assets in partials.assets:
            self._collected.learn(assets)
        self._collected.add(partials.sightings)
        self._shard.merge(partials)
        self._rows = 0
