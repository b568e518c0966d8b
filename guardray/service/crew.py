"""Who does the work of an epoch: ingest workers and shards, in this process or in actors elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from guardray.checkpoints.manifest import Manifest, Part, shard_part
from guardray.checkpoints.parts import Draft, read_part, write_part
from guardray.context.enrich import Surroundings
from guardray.dataflow.partials import Owners, Partials, split_baseline
from guardray.dataflow.regrouping import Cutter, regroup
from guardray.dataflow.scan import ScanSettings
from guardray.dataflow.shard import Shard
from guardray.dataflow.worker import IngestReport, Worker
from guardray.errors import DetectorError
from guardray.findings.sighting import Sighting
from guardray.models.scorer import Scorer
from guardray.service.features import FeatureArchive
from guardray.service.models import EpochScorer, Versions
from guardray.service.room import Room, RoomKeeper
from guardray.service.status import PoolStatus
from guardray.shards.partition import asked_of_owners
from guardray.sources.objects import InputObject


@dataclass(frozen=True)
class Kept:
    """State to go on from: a checkpoint, and where its files are."""

    url: str
    manifest: Manifest


@dataclass(frozen=True)
class ShardSize:
    """How much a shard holds.

    Attributes:
        rows: keys in its tables.
        bytes: about as many as they take.
        evicted: of windows, events and the like had to go since it was made, because there was no room.
        resident: bytes of memory that its process took when its state was last looked at.
    """

    rows: int
    bytes: int = 0
    evicted: int = 0
    resident: int = 0


class Crew(Protocol):
    """Workers and shards. One call at a time.

    Every method raises CrewLostError where one of them is gone: then all state is gone too, and `start` begins anew.
    """

    def start(self, kept: Kept | None) -> None:
        """Make workers and shards, instead of any there were, with this state or none.

        Raises:
            DamagedStateError: a file of the checkpoint is missing or not what was written.
            SnapshotError: its tables are not what these detectors keep.
        """

    def process(self, objects: Sequence[InputObject], at: int, lists: str) -> list[IngestReport]:
        """Reads objects to their end; what they hold is merged in the shards. One report for each part of them.

        Args:
            at: when, in microseconds since 1970.
            lists: name of the lists that they are looked at with; where those are kept no more, those that hold.
        """

    def advance(self, watermark: int, forget_before: int, models: Versions) -> list[Sighting]:
        """Judges, closes and decides what lies before the watermark, and forgets objects that were read before.

        Args:
            models: that rows are scored with until the next call.
        """

    def crossing(self) -> list[Sighting]:
        """All that has crossed and is not decided."""

    def write(self, draft: Draft) -> list[Part]:
        """Each shard writes its part of a checkpoint.

        Raises:
            StateError: one of them could not.
        """

    def sizes(self) -> list[ShardSize]:
        """How much each shard holds."""

    def problems(self) -> list[DetectorError]:
        """What detectors failed on in the shards since the start, and what takes too much memory there."""

    def keep_features(self) -> list[str]:
        """Keep what models are to learn from the days that have closed, and tell what could not be kept.

        Keeping the same once more, as when an epoch is replayed, changes nothing.
        """

    def pools(self) -> Sequence[PoolStatus]:
        """How the pools stand that score for the shards."""

    def close(self) -> None:
        """Let go of all of them."""


def made(settings: ScanSettings, index: int, of: int, kept: Kept | None) -> Shard:
    """A shard, with its state or with its part of what is known beforehand.

    Args:
        index: which of them.
        of: how many there are; another number than the checkpoint has makes it read all parts.
    """
    owners = Owners.of(settings.detectors)
    if kept is None:
        baseline = split_baseline(settings.baseline, of, owners)[index]
        return Shard(settings.detectors, settings.assets, baseline, settings.scorer, archives=settings.archives)
    if kept.manifest.shards == of:
        tables = read_part(kept.url, kept.manifest, shard_part(index))
    else:
        parts = [read_part(kept.url, kept.manifest, shard_part(shard)) for shard in range(kept.manifest.shards)]
        tables = regroup(parts, of, owners)[index]
    return Shard.restore(settings.detectors, tables, settings.scorer, archives=settings.archives)


def write_shard(shard: Shard, settings: ScanSettings, draft: Draft, index: int) -> Part:
    """Write a shard's part of a checkpoint. Raises StateError where that fails."""
    tables: Mapping[str, pa.Table] = shard.snapshot()
    return write_part(draft, shard_part(index), tables, Cutter(Owners.of(settings.detectors)))


class ShardKeeper:
    """Closes what is due in a shard after each epoch, and keeps it within its room.

    Args:
        room: that it may take.
        scorer: the shard's; None: it has none.
        learned: keeps what models learn from; None: nobody wants it.
    """

    def __init__(
        self, shard: Shard, room: Room, scorer: Scorer | None = None, learned: FeatureArchive | None = None
    ) -> None:
        self._shard, self._scorer, self._learned = shard, scorer, learned
        self._room = RoomKeeper(room)
        self._evicted = 0

    def advance(self, watermark: int, forget_before: int, models: Versions) -> list[Sighting]:
        """See `Crew.advance`."""
        if isinstance(self._scorer, EpochScorer):
            self._scorer.use(models)
        self._shard.forget_objects(forget_before)
        seen = self._shard.advance(watermark)
        self._evicted += self._room.keep(self._shard)
        return [*seen, *self._shard.decide(watermark)]

    def keep_features(self) -> list[str]:
        """See `Crew.keep_features`."""
        return [] if self._learned is None else self._learned.keep(self._shard.drain_features())

    def size(self) -> ShardSize:
        """How much the shard holds."""
        return ShardSize(self._shard.state_rows(), self._shard.state_bytes(), self._evicted, self._room.resident)

    def problems(self) -> list[DetectorError]:
        """See `Crew.problems`."""
        excess = self._room.excess
        return [*self._shard.problems, *([] if excess is None else [DetectorError("memory", excess)])]


class LocalCrew:
    """All in this process, one after another.

    Args:
        settings: what to look for.
        shards: among how many the state is divided.
        surroundings: what rows are enriched with, where that is not what the settings say.
        room: that the state of each shard may take.
        learned: keeps what models learn from; None: nobody wants it.
    """

    def __init__(
        self,
        settings: ScanSettings,
        shards: int = 1,
        surroundings: Surroundings | None = None,
        room: Room | None = None,
        learned: FeatureArchive | None = None,
    ) -> None:
        self._settings = settings
        self._room, self._learned = room or Room(), learned
        self._count = shards
        self._surroundings = surroundings
        self._shards: list[Shard] = []
        self._keepers: list[ShardKeeper] = []

    def start(self, kept: Kept | None) -> None:
        self._shards = [made(self._settings, index, self._count, kept) for index in range(self._count)]
        scorer, learned = self._settings.scorer, self._learned
        self._keepers = [ShardKeeper(shard, self._room, scorer, learned) for shard in self._shards]
        self._worker = Worker(self._settings, _Here(self._shards), self._surroundings)

    def process(self, objects: Sequence[InputObject], at: int, lists: str) -> list[IngestReport]:
        return [self._worker.process(objects, at, lists)]

    def advance(self, watermark: int, forget_before: int, models: Versions) -> list[Sighting]:
        return [one for keeper in self._keepers for one in keeper.advance(watermark, forget_before, models)]

    def crossing(self) -> list[Sighting]:
        return [sighting for shard in self._shards for sighting in shard.crossing()]

    def write(self, draft: Draft) -> list[Part]:
        return [write_shard(shard, self._settings, draft, index) for index, shard in enumerate(self._shards)]

    def sizes(self) -> list[ShardSize]:
        return [keeper.size() for keeper in self._keepers]

    def problems(self) -> list[DetectorError]:
        return [problem for keeper in self._keepers for problem in keeper.problems()]

    def keep_features(self) -> list[str]:
        return [problem for keeper in self._keepers for problem in keeper.keep_features()]

    def pools(self) -> Sequence[PoolStatus]:
        """None: this process scores by itself."""
        return ()

    @property
    def workers(self) -> int:
        """One: this process."""
        return 1

    @property
    def shards(self) -> int:
        """Among how many the state is divided."""
        return self._count

    @property
    def replaced(self) -> int:
        """None: this process goes on as it is."""
        return 0

    def resize(self, workers: int) -> None:
        """Stays one, whatever is wanted."""

    def divide(self, shards: int) -> None:
        """Divide the state among so many from the next `start` on."""
        self._count = shards

    def close(self) -> None:
        self._shards, self._keepers = [], []


class _Here:
    """Shards of this process, as a worker sees them."""

    def __init__(self, shards: Sequence[Shard]) -> None:
        self._shards = shards

    def __len__(self) -> int:
        return len(self._shards)

    def first_seen(self, hashes: np.ndarray, times: np.ndarray) -> np.ndarray:
        return asked_of_owners(
            hashes,
            len(self),
            lambda parts: [self._shards[owner].first_seen(hashes[of], times[of]) for owner, of in parts],
        )

    def first_object(self, digest: int, at: int) -> bool:
        return self._shards[digest % len(self)].first_object(digest, at)

    def merge(self, parts: Sequence[Partials]) -> None:
        for shard, part in zip(self._shards, parts, strict=True):
            shard.merge(part)
