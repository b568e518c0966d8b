"""The Ray engine: a coordinator that hands chunks of objects to ingest workers and moves the watermark."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import ray

from guardray.dataflow.scan import Collected, Observer, ScanResult, ScanSettings, Watermark
from guardray.errors import DetectorError, EngineError, GuardrayError
from guardray.runtime.actors import IngestActor, IngestReport, ShardActor
from guardray.runtime.cluster import cluster, cores
from guardray.sources.objects import InputObject
from guardray.sources.reader import Counts

_SHARD: Any = ray.remote(num_cpus=0)(ShardActor)
"""Needs no core of its own: shards work in the pauses of the ingest workers."""

_INGEST: Any = ray.remote(num_cpus=1)(IngestActor)

CHUNK_BYTES = 16 * 2**20
"""Compressed bytes of a chunk: some seconds of work, so that calls cost little and the last worker ends soon."""

CHUNK_OBJECTS = 500
"""Objects of a chunk at the most, since thousands of small files cost by the file."""

CHUNKS_IN_FLIGHT = 2
"""Chunks that a worker holds: one at work and one that waits, so that it never idles and the queue stays short."""


class RayEngine:
    """Runs the operators in actors: `workers` that ingest, `shards` that hold state by key group.

    Args:
        settings: what to find.
        workers: ingest workers; None takes one for each core of the cluster.
        shards: shard actors.
        address: a running cluster; None starts one.
    """

    def __init__(
        self, settings: ScanSettings, workers: int | None = None, shards: int = 2, address: str | None = None
    ) -> None:
        self._settings = settings
        self._workers = workers
        self._shards = shards
        self._address = address

    def scan(self, objects: Sequence[InputObject], observer: Observer) -> ScanResult:
        """See `Engine.scan`."""
        with cluster(self._address):
            workers = self._workers or cores()
            coordinator = _Coordinator(self._settings, workers, self._shards, observer)
            try:
                return coordinator.run(objects)
            except ray.exceptions.RayError as error:
                if isinstance(error, GuardrayError):  # raised by an operator; Ray only carried it here
                    raise
                raise EngineError(error) from error
            finally:
                coordinator.release()


def chunks(objects: Sequence[InputObject]) -> Iterator[list[InputObject]]:
    """The objects in their order, cut by size and number."""
    chunk: list[InputObject] = []
    size = 0
    for obj in objects:
        if chunk and (size >= CHUNK_BYTES or len(chunk) >= CHUNK_OBJECTS):
            yield chunk
            chunk, size = [], 0
        chunk.append(obj)
        size += obj.size or 0
    if chunk:
        yield chunk


class _Coordinator:
    """One scan: who works on what, what is merged, how far event time has come."""

    def __init__(self, settings: ScanSettings, workers: int, shards: int, observer: Observer) -> None:
        shared = ray.put(settings)
        self._shards = [_SHARD.remote(shared) for _ in range(shards)]
        self._workers = [_INGEST.remote(shared, self._shards) for _ in range(workers)]
        self._settings = settings
        self._observer = observer
        self._collected = Collected(observer)
        self._counts = Counts()
        self._duplicates = 0
        self._problems: list[DetectorError] = []

    def run(self, objects: Sequence[InputObject]) -> ScanResult:
        watermark = Watermark(objects, self._settings.limits.lateness)
        reached = watermark.value
        for chunk, report in self._reports(deque(chunks(objects))):
            self._on_report(report)
            for obj in chunk:
                watermark.done(obj)
            self._observer.on_objects_done(chunk, self._counts)
            if watermark.value > reached:
                reached = watermark.value
                self._announce([shard.crossing.remote() for shard in self._shards])
                self._gather([shard.advance.remote(reached) for shard in self._shards])
        self._gather([shard.finish.remote() for shard in self._shards])
        return ScanResult(
            sightings=self._collected.sightings(),
            counts=self._counts,
            objects=frozenset().union(*ray.get([shard.objects.remote() for shard in self._shards])),
            duplicates=self._duplicates,
            problems=self._problems,
        )

    def _reports(self, waiting: deque[list[InputObject]]) -> Iterator[tuple[list[InputObject], IngestReport]]:
        """Each chunk with its report, in the order in which they are done."""
        at_work: dict[ray.ObjectRef[Any], tuple[list[InputObject], int]] = {}
        free = deque(list(range(len(self._workers))) * CHUNKS_IN_FLIGHT)
        while waiting or at_work:
            while waiting and free:
                worker, chunk = free.popleft(), waiting.popleft()
                at_work[self._workers[worker].process.remote(chunk)] = chunk, worker
            (ref, *_), _ = ray.wait(list(at_work), num_returns=1)
            chunk, worker = at_work.pop(ref)
            free.append(worker)
            yield chunk, ray.get(ref)

    def _on_report(self, report: IngestReport) -> None:
        self._counts += report.counts
        self._duplicates += report.duplicates
        self._problems.extend(report.problems)
        for set_aside in report.set_aside:
            self._observer.on_set_aside(set_aside)
        self._collected.add(report.sightings)

    def _gather(self, refs: Sequence[ray.ObjectRef[Any]]) -> None:
        for sightings in ray.get(list(refs)):
            self._collected.add(sightings)

    def _announce(self, refs: Sequence[ray.ObjectRef[Any]]) -> None:
        for sightings in ray.get(list(refs)):
            self._collected.announce(sightings)

    def release(self) -> None:
        """Ends the actors, which hold nothing that is needed any more."""
        for actor in (*self._workers, *self._shards):
            ray.kill(actor)
