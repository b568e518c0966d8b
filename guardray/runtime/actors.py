"""Thin shells around the operators: an ingest worker and a shard, each in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import ray
from ray.actor import ActorHandle

from guardray.dataflow.baseline import Baseline
from guardray.dataflow.event_time import END_OF_TIME
from guardray.dataflow.partials import Partials
from guardray.dataflow.scan import ScanSettings
from guardray.dataflow.shard import Shard
from guardray.dataflow.worker import IngestReport, Worker
from guardray.errors import DetectorError
from guardray.findings.sighting import Sighting
from guardray.shards.partition import asked_of_owners
from guardray.sources.objects import InputObject

SHARD_TIMEOUT_S = 600.0
"""A shard answers in milliseconds; one that stays away this long is gone, and the scan fails rather than hangs."""


class ShardActor:
    """Owns a range of the key groups."""

    def __init__(self, settings: ScanSettings, baseline: Baseline) -> None:
        self._shard = Shard(settings.detectors, settings.assets, baseline, settings.scorer, archives=settings.archives)

    def first_seen(self, hashes: np.ndarray, times: np.ndarray) -> np.ndarray:
        return self._shard.first_seen(hashes, times)

    def first_object(self, digest: int, at: int) -> bool:
        return self._shard.first_object(digest, at)

    def objects(self) -> frozenset[int]:
        return self._shard.objects()

    def learned(self) -> Baseline:
        return self._shard.learned()

    def drain_features(self) -> Mapping[str, pl.DataFrame]:
        return self._shard.drain_features()

    def problems(self) -> list[DetectorError]:
        return self._shard.problems

    def merge(self, partials: Partials) -> None:
        self._shard.merge(partials)

    def crossing(self) -> list[Sighting]:
        return self._shard.crossing()

    def advance(self, watermark: int) -> list[Sighting]:
        return self._shard.advance(watermark)

    def finish(self) -> list[Sighting]:
        return self._shard.finish()


class IngestActor:
    """Reads chunks of objects and sends what the shards must know to them."""

    def __init__(self, settings: ScanSettings, shards: Sequence[ActorHandle[Any]]) -> None:
        self._worker = Worker(settings, RemoteShards(shards))

    def ready(self) -> None:
        """Answers once the worker has started."""

    def process(self, objects: Sequence[InputObject]) -> IngestReport:
        return self._worker.process(objects, END_OF_TIME)


class RemoteShards:
    """All shards, as an ingest worker sees them."""

    def __init__(self, handles: Sequence[ActorHandle[Any]]) -> None:
        self._handles = list(handles)

    def __len__(self) -> int:
        return len(self._handles)

    def first_seen(self, hashes: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Asks the owner of each event hash, all at once: bool [n]."""

        def ask(parts: Sequence[tuple[int, np.ndarray]]) -> list[np.ndarray]:
            asked = [self._handles[owner].first_seen.remote(hashes[of], times[of]) for owner, of in parts]
            answers: list[np.ndarray] = ray.get(asked, timeout=SHARD_TIMEOUT_S)
            return answers

        return asked_of_owners(hashes, len(self), ask)

    def first_object(self, digest: int, at: int) -> bool:
        owner = self._handles[digest % len(self._handles)]
        return bool(ray.get(owner.first_object.remote(digest, at), timeout=SHARD_TIMEOUT_S))

    def merge(self, parts: Sequence[Partials]) -> None:
        ray.get([h.merge.remote(p) for h, p in zip(self._handles, parts, strict=True)], timeout=SHARD_TIMEOUT_S)
