"""A service that does nothing but commit epochs and write checkpoints, to be killed: see test_kills."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from guardray.checkpoints.checkpoints import Checkpoints
from guardray.checkpoints.manifest import Manifest
from guardray.checkpoints.parts import read_part, write_part
from guardray.store.service import ServiceStore

ROWS = 60_000
TABLES = 4


def state_after(epoch: int) -> dict[str, pa.Table]:
    """Large tables, of which each epoch changes one."""
    changed = {index: epoch - (epoch - index) % TABLES for index in range(TABLES)}
    return {
        f"table-{index}": pa.table({"x": pa.array(range(last, last + ROWS), pa.int64())})
        for index, last in changed.items()
    }


def resume(url: str, manifest: Manifest | None) -> int:
    """The epoch that the checkpoint is of, whose state is checked."""
    if manifest is None:
        return 0
    held = read_part(url, manifest, "shard-0")
    expected = state_after(manifest.epoch)
    assert held.keys() == expected.keys()
    assert all(held[name].equals(expected[name]) for name in held)
    return manifest.epoch


def main(store_url: str, root: str) -> None:
    with ServiceStore.open(store_url) as store:
        fence = store.lease.acquire("committer", datetime.now(UTC), timedelta(seconds=5), take_over=True)
        checkpoints = Checkpoints(root, store, fence)
        restored = checkpoints.restore()
        assert restored.damaged == ()
        epoch = resume(root, restored.manifest)
        assert [one.number for one in store.epochs.after(epoch)] == list(range(epoch + 1, store.epochs.last() + 1))
        while True:
            epoch += 1
            now = datetime.now(UTC)
            store.epochs.commit(epoch, {"epoch": epoch}, fence=fence, now=now, fold=lambda _: (1, 0))
            draft = checkpoints.begin()
            part = write_part(draft, "shard-0", state_after(epoch))
            checkpoints.finish(draft, [part], epoch=epoch, shards=1, content={}, now=now)
            checkpoints.clean()
            print(epoch, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
