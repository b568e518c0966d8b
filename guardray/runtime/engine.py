"""The Ray engine: a coordinator that hands chunks of objects to ingest workers and moves the watermark."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import ray

from guardray.dataflow.baseline import Baseline
from guardray.dataflow.partials import Owners, split_baseline
from guardray.dataflow.scan import Collected, Observer, ScanResult, ScanSettings, Watermark
from guardray.dataflow.scoring import together
from guardray.dataflow.worker import IngestReport
from guardray.errors import DetectorError, EngineError, GuardrayError, UsageError
from guardray.runtime.actors import SHARD_TIMEOUT_S, IngestActor, ShardActor
from guardray.runtime.cluster import cluster, cores
from guardray.sources.objects import S3_SCHEME, STANDARD_INPUT, InputObject
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

START_TIMEOUT_S = 120.0
"""A new worker process takes seconds, also on a loaded machine; one that takes longer waits for a core of others."""


class RayEngine:
    """Runs the operators in actors: `workers` that ingest, `shards` that hold state by key group.

    Args:
        settings: what to find.
        workers: ingest workers, each on a core of its own; None, and more than there are, take all cores.
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
        if self._address is not None:
            objects = [named_for_all(obj) for obj in objects]
        with cluster(self._address):
            workers = min(self._workers or cores(), cores())
            coordinator = _Coordinator(self._settings, workers, self._shards, observer)
            try:
                return coordinator.run(objects)
            except ray.exceptions.RayError as error:
                if isinstance(error, GuardrayError):  # raised by an operator; Ray only carried it here
                    raise
                raise EngineError(error) from error
            finally:
                coordinator.release()


def named_for_all(obj: InputObject) -> InputObject:
    """The object by a name that does not depend on the folder that a process runs in.

    Raises:
        UsageError: it is this process's standard input.
    """
    if obj.url == STANDARD_INPUT:
        raise UsageError("a running cluster cannot read standard input: write it to a file, or leave out --address")
    return obj if obj.url.startswith(S3_SCHEME) else replace(obj, url=str(Path(obj.url).absolute()))


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
        baselines = split_baseline(settings.baseline, shards, Owners.of(settings.detectors))
        shared = ray.put(replace(settings, baseline=Baseline()))
        self._shards = [_SHARD.remote(shared, baseline) for baseline in baselines]
        self._workers = [_INGEST.remote(shared, self._shards) for _ in range(workers)]
        self._settings = settings
        self._observer = observer
        self._collected = Collected(observer, settings.assets)
        self._counts = Counts()
        self._duplicates = 0
        self._problems: list[DetectorError] = []

    def _start(self) -> None:
        """Waits for the workers, and does without those that the cluster has no free core for.

        Raises:
            UsageError: it has none at all.
        """
        refs = {worker.ready.remote(): worker for worker in self._workers}
        started, waiting = ray.wait(list(refs), num_returns=len(refs), timeout=START_TIMEOUT_S)
        if not started:
            raise UsageError(f"the Ray cluster started no worker in {START_TIMEOUT_S:.0f} s: it has no free core")
        for ref in waiting:
            ray.kill(refs[ref])
        self._workers = [refs[ref] for ref in started]

    def run(self, objects: Sequence[InputObject]) -> ScanResult:
        self._start()
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
                self._collected.settle(reached)
        self._gather([shard.finish.remote() for shard in self._shards])
        objects = ray.get([shard.objects.remote() for shard in self._shards], timeout=SHARD_TIMEOUT_S)
        problems = ray.get([shard.problems.remote() for shard in self._shards], timeout=SHARD_TIMEOUT_S)
        learned = ray.get([shard.learned.remote() for shard in self._shards], timeout=SHARD_TIMEOUT_S)
        features = ray.get([shard.drain_features.remote() for shard in self._shards], timeout=SHARD_TIMEOUT_S)
        return ScanResult(
            sightings=self._collected.sightings(),
            counts=self._counts,
            objects=frozenset().union(*objects),
            inventory=self._collected.inventory,
            learned=Baseline.of(learned),
            duplicates=self._duplicates,
            problems=[*self._problems, *(problem for of_shard in problems for problem in of_shard)],
            features=together(features),
        )

    def _reports(self, waiting: deque[list[InputObject]]) -> Iterator[tuple[list[InputObject], IngestReport]]:
        """Each chunk with its report, in the order in which they are done."""
        at_work: dict[ray.ObjectRef[Any], tuple[list[InputObject], int]] = {}
        free = deque(list(range(len(self._workers))) * CHUNKS_IN_FLIGHT)
        while waiting or at_work:
            while waiting and free:
                worker, chunk = free.popleft(), waiting.popleft()
                at_work[self._workers[worker].process.remote(chunk)] = chunk, worker
            # Without a timeout: a worker that dies makes its chunk ready too, and one that only takes long is awaited.
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
        for assets in report.assets:
            self._collected.learn(assets)
        self._collected.add(report.sightings)

    def _gather(self, refs: Sequence[ray.ObjectRef[Any]]) -> None:
        for sightings in ray.get(list(refs), timeout=SHARD_TIMEOUT_S):
            self._collected.add(sightings)

    def _announce(self, refs: Sequence[ray.ObjectRef[Any]]) -> None:
        for sightings in ray.get(list(refs), timeout=SHARD_TIMEOUT_S):
            self._collected.announce(sightings)

    def release(self) -> None:
        """Ends the actors, which hold nothing that is needed any more."""
        for actor in (*self._workers, *self._shards):
            ray.kill(actor)
