"""A service's store and a root for checkpoints, and processes that write some."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from connectors.conftest import aws, bucket, client
from store.conftest import postgres, store_url

from guardray.checkpoints.checkpoints import Checkpoints
from guardray.checkpoints.manifest import Part
from guardray.checkpoints.parts import Draft, write_part
from guardray.store.checkpoint_register import RegisteredCheckpoint
from guardray.store.service import ServiceStore

__all__ = ["aws", "bucket", "client", "postgres", "store_url"]

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LASTS = timedelta(seconds=30)
LARGE = pa.table({"subject": pa.array(range(100_000), pa.uint64())})
"""Large enough for a file of its own."""


def tables(epoch: int, *, large: pa.Table = LARGE) -> dict[str, pa.Table]:
    """State of one shard after an epoch: a table that stays, one that changes, and an empty one."""
    count = pa.table({"epoch": [epoch]}, metadata={"window_us": "60"})
    return {"windows/Recon:EC2/Portscan": count, "entities": large, "events": LARGE.slice(0, 0)}


@dataclass
class Writer:
    """A process that is the one writer: it commits epochs and writes checkpoints of two shards."""

    url: str
    store: ServiceStore
    name: str = "service"
    checkpoints: Checkpoints = field(init=False)

    def __post_init__(self) -> None:
        self.fence = self.store.lease.acquire(self.name, NOW, LASTS, take_over=True)
        self.checkpoints = Checkpoints(self.url, self.store, self.fence)

    def commit(self, epoch: int) -> None:
        self.store.epochs.commit(epoch, {"epoch": epoch}, fence=self.fence, now=NOW, fold=lambda _: (0, 0))

    def parts(self, draft: Draft, epoch: int, large: pa.Table = LARGE) -> list[Part]:
        return [write_part(draft, f"shard-{shard}", tables(epoch, large=large)) for shard in (0, 1)]

    def finish(self, draft: Draft, parts: list[Part], epoch: int) -> RegisteredCheckpoint:
        return self.checkpoints.finish(draft, parts, epoch=epoch, shards=2, content={"epoch": epoch}, now=NOW)

    def write(self, epoch: int, large: pa.Table = LARGE) -> RegisteredCheckpoint:
        """An epoch, and a checkpoint of it."""
        self.commit(epoch)
        draft = self.checkpoints.begin()
        return self.finish(draft, self.parts(draft, epoch, large), epoch)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ServiceStore]:
    with ServiceStore.open(str(tmp_path / "findings.db")) as opened:
        yield opened


@pytest.fixture
def start(root: Path, store: ServiceStore) -> Callable[[], Writer]:
    """Starts a writer, which shuts out those before."""
    return lambda: Writer(str(root), store)


@pytest.fixture
def writer(start: Callable[[], Writer]) -> Writer:
    return start()


def files(root: Path) -> set[str]:
    """All files below a folder."""
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
