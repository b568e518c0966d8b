"""The crew of a service in actors: ingest workers and shards, each in a process of its own, on any node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import ray
from ray.actor import ActorHandle
from ray.exceptions import GetTimeoutError, RayActorError, RayError

from guardray.checkpoints.manifest import Part
from guardray.checkpoints.parts import Draft
from guardray.context.enrich import Surroundings
from guardray.dataflow.scan import ScanSettings
from guardray.dataflow.worker import IngestReport, Worker
from guardray.errors import CrewLostError, DetectorError, GuardrayError
from guardray.findings.sighting import Sighting
from guardray.runtime.actors import RemoteShards, ShardActor
from guardray.runtime.placement import nodes, options_of, placed
from guardray.runtime.pool_watch import PoolWatch
from guardray.runtime.pools import pool_status
from guardray.service.crew import Kept, ShardKeeper, ShardSize, made, write_shard
from guardray.service.features import FeatureArchive
from guardray.service.memory_limit import MemoryLimit
from guardray.service.models import Versions
from guardray.service.room import Room
from guardray.service.status import PoolStatus
from guardray.sources.objects import InputObject

T = TypeVar("T")

START_TIMEOUT_S = 600.0
"""A worker may wait for a node that the autoscaler has to bring up first."""

CALL_TIMEOUT_S = 300.0
"""An epoch is some seconds of work. A process that stays away this long hangs, and is made anew."""


class ServiceShardActor(ShardActor):
    """A shard of a service: it reads and writes its part of checkpoints itself."""

    def __init__(self, settings: ScanSettings, index: int) -> None:
        self._settings, self._index = settings, index

    def restore(self, of: int, kept: Kept | None, room: Room, learned: FeatureArchive | None) -> None:
        """Answers once the state is there. See `made`, also for what it raises.

        Not done by `__init__`: what that raises, Ray tells as the death of the actor, and a damaged checkpoint would
        be tried for ever.
        """
        self._shard = made(self._settings, self._index, of, kept)
        self._keeper = ShardKeeper(self._shard, room, self._settings.scorer, learned)

    def problems(self) -> list[DetectorError]:
        return self._keeper.problems()

    def advance_and_decide(self, watermark: int, forget_before: int, models: Versions) -> list[Sighting]:
        return self._keeper.advance(watermark, forget_before, models)

    def keep_features(self) -> list[str]:
        return self._keeper.keep_features()

    def write(self, draft: Draft) -> Part:
        return write_shard(self._shard, self._settings, draft, self._index)

    def size(self) -> ShardSize:
        return self._keeper.size()


class ServiceIngestActor:
    """An ingest worker of a service.

    Args:
        memory_mb: that its process may take.
    """

    def __init__(
        self,
        settings: ScanSettings,
        surroundings: Surroundings,
        shards: Sequence[ActorHandle[Any]],
        memory_mb: int | None = None,
    ) -> None:
        self._worker = Worker(settings, RemoteShards(shards), surroundings)
        self._limit = MemoryLimit() if memory_mb is None else MemoryLimit.of_mb(memory_mb, "memory.ingest_mb")

    def ready(self) -> None:
        """Answers once the worker has started."""

    def process(self, objects: Sequence[InputObject], at: int, lists: str) -> tuple[IngestReport, bool]:
        """What it says of the objects, and whether another should take its place, since it takes too much memory."""
        report = self._worker.process(objects, at, lists)
        if (excess := self._limit.excess) is not None:
            report.problems.append(DetectorError("memory", excess))
        return report, self._limit.is_outgrown


class RayCrew:
    """See `guardray.service.crew.Crew`. Its actors end with the process that owns it.

    An actor that is lost is not restarted by itself, since its state would be another epoch's than that of the others:
    all are made anew from one checkpoint.

    Args:
        settings: what to look for.
        surroundings: what rows are enriched with.
        workers: ingest workers, each on a core of its own.
        shards: among how many the state is divided.
        room: that the state of all shards together may take, and each of their processes.
        learned: keeps what models learn from, at a place that every node reaches; None: nobody wants it.
        worker_mb: that an ingest worker's process may take; None: whatever it does.
    """

    def __init__(
        self,
        settings: ScanSettings,
        surroundings: Surroundings,
        workers: int,
        shards: int,
        room: Room | None = None,
        learned: FeatureArchive | None = None,
        worker_mb: int | None = None,
    ) -> None:
        self._room, self._learned, self._worker_mb = room or Room(), learned, worker_mb
        self._replaced = 0
        self._settings = ray.put(settings)
        self._surroundings = surroundings
        self._worker_count, self._shard_count = workers, shards
        self._shards: list[ActorHandle[Any]] = []
        self._workers: list[ActorHandle[Any]] = []
        self._pools = PoolWatch(pool_status)
        self._joining: dict[Any, ActorHandle[Any]] = {}
        """Workers that were asked for and have not started, by what their start gives."""

    @property
    def workers(self) -> int:
        """Ingest workers that there should be."""
        return self._worker_count

    @property
    def shards(self) -> int:
        """Among how many the state is divided."""
        return self._shard_count

    @property
    def replaced(self) -> int:
        """Ingest workers that had grown beyond their memory limit, and that others took the place of."""
        return self._replaced

    def start(self, kept: Kept | None) -> None:
        self.close()
        shard: Any = ray.remote(num_cpus=0, max_restarts=0)(ServiceShardActor)
        count = self._shard_count
        self._shards = [
            shard.options(**options_of(node)).remote(self._settings, index)
            for index, node in enumerate(placed(count, nodes()))
        ]
        room, learned = self._room.shared_by(count), self._learned
        self._gather(self._asked(lambda one: one.restore.remote(count, kept, room, learned)), START_TIMEOUT_S)
        self._ask_for(self._worker_count)
        self._take_in(START_TIMEOUT_S)

    def resize(self, workers: int) -> None:
        """Have so many ingest workers: they hold nothing, so that they come and go between two epochs."""
        self._worker_count = workers
        for ref in list(self._joining)[max(workers - len(self._workers), 0) :]:
            ray.kill(self._joining.pop(ref))
        for worker in self._workers[workers:]:
            ray.kill(worker)
        del self._workers[workers:]
        self._ask_for(workers - len(self._workers) - len(self._joining))

    def divide(self, shards: int) -> None:
        """Divide the state among so many from the next `start` on."""
        self._shard_count = shards

    def _ask_for(self, count: int) -> None:
        """More workers: each joins when there is a core for it, which may have to be brought up first."""
        ingest: Any = ray.remote(num_cpus=1, max_restarts=0)(ServiceIngestActor)
        for _ in range(count):
            worker = ingest.remote(self._settings, self._surroundings, self._shards, self._worker_mb)
            self._joining[worker.ready.remote()] = worker

    def _take_in(self, timeout: float) -> None:
        """Takes in the workers that have started. Waits for one, where there is none yet."""
        if not self._joining:
            return
        ready, _ = ray.wait(list(self._joining), num_returns=1, timeout=0 if self._workers else timeout)
        if not ready and not self._workers:
            raise CrewLostError(f"no ingest worker has started in {timeout:.0f} s: the cluster has no free core")
        started, _ = ray.wait(list(self._joining), num_returns=len(self._joining), timeout=0)
        for ref in started:
            self._gather([ref])
            self._workers.append(self._joining.pop(ref))

    def process(self, objects: Sequence[InputObject], at: int, lists: str) -> list[IngestReport]:
        self._take_in(START_TIMEOUT_S)
        dealt = [share for share in shares(objects, len(self._workers)) if share]
        asked = list(zip(self._workers, dealt, strict=False))
        answers = self._gather([worker.process.remote(share, at, lists) for worker, share in asked])
        self._replace([worker for (worker, _), (_, is_outgrown) in zip(asked, answers, strict=True) if is_outgrown])
        return [report for report, _ in answers]

    def _replace(self, outgrown: Sequence[ActorHandle[Any]]) -> None:
        """Has another take the place of one of these: of one only, so that the others go on until it has started."""
        for worker in outgrown[:1]:
            ray.kill(worker)
            self._workers.remove(worker)
            self._replaced += 1
            self._ask_for(1)

    def advance(self, watermark: int, forget_before: int, models: Versions) -> list[Sighting]:
        return _flat(self._of_shards(lambda one: one.advance_and_decide.remote(watermark, forget_before, models)))

    def crossing(self) -> list[Sighting]:
        return _flat(self._of_shards(lambda one: one.crossing.remote()))

    def keep_features(self) -> list[str]:
        return _flat(self._of_shards(lambda one: one.keep_features.remote()))

    def write(self, draft: Draft) -> list[Part]:
        return self._of_shards(lambda one: one.write.remote(draft))

    def sizes(self) -> list[ShardSize]:
        return self._of_shards(lambda one: one.size.remote())

    def problems(self) -> list[DetectorError]:
        return _flat(self._of_shards(lambda one: one.problems.remote()))

    def pools(self) -> Sequence[PoolStatus]:
        return self._pools.latest()

    def close(self) -> None:
        for actor in (*self._workers, *self._joining.values(), *self._shards):
            ray.kill(actor)
        self._workers, self._shards, self._joining = [], [], {}

    def _of_shards(self, ask: Callable[[ActorHandle[Any]], Any]) -> list[Any]:
        return self._gather(self._asked(ask))

    def _asked(self, ask: Callable[[ActorHandle[Any]], Any]) -> list[Any]:
        return [ask(shard) for shard in self._shards]

    def _gather(self, refs: Sequence[Any], timeout: float = CALL_TIMEOUT_S) -> list[Any]:
        """The answers to calls, in their order; an error of an operator as it was raised there."""
        try:
            return list(ray.get(list(refs), timeout=timeout))
        except GetTimeoutError as error:
            raise CrewLostError(f"a worker or shard has not answered for {timeout:.0f} s") from error
        except RayError as error:
            if isinstance(error, GuardrayError):  # raised by an operator; Ray only carried it here
                raise
            kind = "is gone" if isinstance(error, RayActorError) else "failed"
            reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
            raise CrewLostError(f"a worker or shard {kind}: {reason}") from error


def shares(objects: Sequence[InputObject], workers: int) -> list[list[InputObject]]:
    """The objects dealt out so that each worker gets about as many bytes, in the order that they came in."""
    shares: list[list[InputObject]] = [[] for _ in range(workers)]
    loads = [0] * workers
    for obj in objects:
        least = loads.index(min(loads))
        shares[least].append(obj)
        loads[least] += (obj.size or 0) + _OBJECT_COST
    return shares


_OBJECT_COST = 4096
"""Opening an object costs about as long as reading so many bytes."""


def _flat(lists: Sequence[list[T]]) -> list[T]:
    return [one for some in lists for one in some]
