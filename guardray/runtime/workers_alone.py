"""How much sooner two ingest workers are done than one, with nothing beside them: shards are left out."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import ray

from guardray.dataflow.event_time import END_OF_TIME
from guardray.dataflow.partials import Partials
from guardray.dataflow.scan import ScanSettings
from guardray.dataflow.worker import Worker
from guardray.errors import BenchError
from guardray.runtime.cluster import cluster
from guardray.runtime.crew import shares
from guardray.sources.objects import InputObject

SHARDS = 2
"""That what is read is cut for."""

TIMEOUT_S = 3600.0


class NoShards:
    """In the place of shards: they know nothing beforehand, and take whatever is cut for them."""

    def __len__(self) -> int:
        return SHARDS

    def first_seen(self, hashes: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Every event is new."""
        return np.ones(len(hashes), dtype=bool)

    def first_object(self, digest: int, at: int) -> bool:
        """Every object is new."""
        return True

    def merge(self, parts: Sequence[Partials]) -> None:
        """Takes the parts, one for each shard."""
        assert len(parts) == SHARDS


class CuttingActor:
    """An ingest worker that does all of its work, but that nobody gets what it cut."""

    def __init__(self, settings: ScanSettings) -> None:
        self._worker = Worker(settings, NoShards())

    def process(self, objects: Sequence[InputObject]) -> tuple[int, float]:
        """Rows that were read, and seconds of processor time that it took."""
        began = time.process_time()
        report = self._worker.process(objects, END_OF_TIME)
        return report.counts.read, time.process_time() - began


def seconds_by_workers(
    settings: ScanSettings, objects: Sequence[InputObject], counts: Sequence[int], runs: int
) -> list[dict[str, Any]]:
    """Times each number of workers, in turn, so that what else a machine does falls on all of them.

    Returns:
        Of each number `workers`, `rows`, and medians: `wall_s`, and `cpu_s` of the worker that took most, which tells
        how evenly the work is dealt out also where the cores are not free.

    Raises:
        BenchError: another number of workers read another number of rows.
    """
    actor: Any = ray.remote(num_cpus=1)(CuttingActor)
    took: dict[int, list[tuple[float, float]]] = {count: [] for count in counts}
    rows: dict[int, int] = {}
    with cluster(cpus=max(counts)):
        shared = ray.put(settings)
        workers = [actor.remote(shared) for _ in range(max(counts))]
        ray.get([worker.process.remote(objects[:1]) for worker in workers], timeout=TIMEOUT_S)  # loads all code
        for _ in range(runs):
            for count in counts:
                dealt = shares(objects, count)
                began = time.perf_counter()
                asked = [worker.process.remote(share) for worker, share in zip(workers, dealt, strict=False)]
                answers = ray.get(asked, timeout=TIMEOUT_S)
                took[count].append((time.perf_counter() - began, max(cpu for _, cpu in answers)))
                rows[count] = sum(read for read, _ in answers)
    if len(set(rows.values())) != 1:
        raise BenchError("workers", "input", f"read {rows} rows by number of workers")
    medians = {count: [statistics.median(times) for times in zip(*of, strict=True)] for count, of in took.items()}
    return [
        {"workers": count, "rows": rows[count], "wall_s": wall_s, "cpu_s": cpu_s}
        for count, (wall_s, cpu_s) in medians.items()
    ]
