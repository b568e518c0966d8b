"""Thin shells around the operators: an ingest worker and a shard, each in a process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
import ray
from ray.actor import ActorHandle

from guardray.dataflow.baseline import Baseline
from guardray.dataflow.ingest import ROWS_BETWEEN_DRAINS, Ingest
from guardray.dataflow.partials import Owners, Partials
from guardray.dataflow.scan import ScanSettings
from guardray.dataflow.shard import Shard
from guardray.errors import DetectorError
from guardray.findings.sighting import Sighting, SightingFold
from guardray.shards.partition import shard_of
from guardray.sources.objects import InputObject
from guardray.sources.reader import Batch, Counts, Reader
from guardray.sources.set_aside import SetAside

SHARD_TIMEOUT_S = 600.0
"""A shard answers in milliseconds; one that stays away this long is gone, and the scan fails rather than hangs."""


@dataclass
class IngestReport:
    """What an ingest worker says of a chunk of objects, after their partial aggregates are merged in the shards."""

    sightings: list[Sighting]
    counts: Counts
    set_aside: list[SetAside] = field(default_factory=list)
    duplicates: int = 0
    problems: list[DetectorError] = field(default_factory=list)
    assets: list[pl.DataFrame] = field(default_factory=list)


class ShardActor:
    """Owns a range of the key groups."""

    def __init__(self, settings: ScanSettings, baseline: Baseline) -> None:
        self._shard = Shard(settings.detectors, settings.assets, baseline)

    def first_seen(self, hashes: np.ndarray, times: np.ndarray) -> np.ndarray:
        return self._shard.first_seen(hashes, times)

    def first_object(self, digest: int) -> bool:
        return self._shard.first_object(digest)

    def objects(self) -> frozenset[int]:
        return self._shard.objects()

    def learned(self) -> Baseline:
        return self._shard.learned()

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
        self._settings = settings
        self._shards = _Shards(shards)
        self._owners = Owners.of(settings.detectors)

    def ready(self) -> None:
        """Answers once the worker has started."""

    def process(self, objects: Sequence[InputObject]) -> IngestReport:
        """Reads these objects to their end. When it returns, the shards have merged all that they hold."""
        settings = self._settings
        ingest = Ingest(settings.detectors, settings.surroundings, self._shards.first_seen)
        reader = Reader(
            settings.limits,
            key_filter=settings.key_filter,
            s3_endpoint=settings.s3_endpoint,
            is_new=self._shards.first_object,
        )
        set_aside: list[SetAside] = []
        fold, assets = SightingFold(), []
        rows = 0
        for item in reader.read(objects):
            if isinstance(item, Batch):
                ingest.on_batch(item.schema, item.frame)
                rows += item.frame.height
            elif isinstance(item, SetAside):
                set_aside.append(item)
            if rows >= ROWS_BETWEEN_DRAINS:
                assets += self._merge(ingest, fold)
                rows = 0
        assets += self._merge(ingest, fold)
        return IngestReport(fold.sightings(), reader.counts, set_aside, ingest.duplicates, ingest.problems, assets)

    def _merge(self, ingest: Ingest, fold: SightingFold) -> list[pl.DataFrame]:
        """Sends what was learned so far to the shards, keeps the sightings and gives the assets that were told of."""
        partials = ingest.drain()
        for sighting in partials.sightings:
            fold.add(sighting)
        self._shards.merge(partials.split(len(self._shards), self._owners))
        return partials.assets


class _Shards:
    """All shards, as an ingest worker sees them."""

    def __init__(self, handles: Sequence[ActorHandle[Any]]) -> None:
        self._handles = list(handles)

    def __len__(self) -> int:
        return len(self._handles)

    def first_seen(self, hashes: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Asks the owner of each event hash: bool [n]."""
        owners = shard_of(hashes, len(self._handles))
        parts = [np.flatnonzero(owners == owner) for owner in range(len(self._handles))]
        answers: list[np.ndarray] = ray.get(
            [h.first_seen.remote(hashes[p], times[p]) for h, p in zip(self._handles, parts, strict=True)],
            timeout=SHARD_TIMEOUT_S,
        )
        new = np.empty(len(hashes), dtype=bool)
        for part, answer in zip(parts, answers, strict=True):
            new[part] = answer
        return new

    def first_object(self, digest: int) -> bool:
        owner = self._handles[digest % len(self._handles)]
        return bool(ray.get(owner.first_object.remote(digest), timeout=SHARD_TIMEOUT_S))

    def merge(self, parts: Sequence[Partials]) -> None:
        ray.get([h.merge.remote(p) for h, p in zip(self._handles, parts, strict=True)], timeout=SHARD_TIMEOUT_S)
