"""Everything of ours dies at the moments that matter: while a checkpoint is written, before it counts, and after."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from guardray.checkpoints.manifest import MANIFEST
from tests.chaos.trail import Trail
from tests.chaos.tree import MakeTree, Tree, is_final
from tests.service.running import Plain, stored

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(2400)]

OURS = ("coordinator", "shard", "worker")

LOOK_S = 0.003
"""Between looks for a moment: far less than one lasts, and it leaves the service its core."""


class Moment:
    """What a service is at, seen from outside: in its folder of checkpoints, its database and its queue."""

    def __init__(self, tree: Tree, trail: Trail) -> None:
        self._tree, self._trail = tree, trail
        self._folder = Path(tree.config["data"]) / "checkpoints"
        self._earlier = set(self._folder.iterdir())
        """Also those that an earlier death left unfinished."""
        self._counting = self._registered()
        self._left = trail.left()

    def _registered(self) -> set[str]:
        with closing(sqlite3.connect(f"file:{self._tree.store}?mode=ro", uri=True)) as database:
            return {folder for (folder,) in database.execute("SELECT folder FROM checkpoints")}

    def _newest(self) -> Path | None:
        return max(set(self._folder.iterdir()) - self._earlier, key=lambda folder: folder.name, default=None)

    def writes_parts(self) -> bool:
        """Files of a checkpoint are there, and its manifest is not."""
        newest = self._newest()
        return newest is not None and any(newest.glob("*")) and not (newest / MANIFEST).exists()

    def waits_to_count(self) -> bool:
        """A checkpoint is whole, and the database does not name it."""
        newest = self._newest()
        return newest is not None and (newest / MANIFEST).exists() and newest.name not in self._registered()

    def counts_and_is_not_acknowledged(self) -> bool:
        """The database names another checkpoint, and nothing was deleted of the queue since."""
        registered, left = self._registered(), self._trail.left()
        is_met = not registered <= self._counting and left == self._left > 0
        if not is_met:
            self._counting, self._left = registered, left
        return is_met


def strike(tree: Tree, is_met: Callable[[], bool]) -> None:
    """Kill all processes of ours at a moment: the coordinator stands still while it is made sure that it is the one."""
    (coordinator,) = tree.processes("coordinator")
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        if not is_met():
            time.sleep(LOOK_S)
            continue
        coordinator.suspend()
        if is_met():
            for kind in OURS:
                tree.kill(kind)
            return
        coordinator.resume()
    raise AssertionError(f"the moment did not come\n{tree.log()[-2000:]}")


def test_death_at_any_moment_of_a_checkpoint_changes_no_finding(
    make_tree: MakeTree,
    config: dict[str, Any],
    account: Path,
    scanned: Plain,
    aws: str,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", aws)
    trail = Trail(aws, account / "AWSLogs")
    trail.tell(trail.objects, random.Random(6))
    tree = make_tree(
        config | {"sources": [trail.source(visibility="20s")], "epoch": {"max_objects": 10, "interval": "5s"}}
    )
    tree.start()
    for name in ("writes_parts", "waits_to_count", "counts_and_is_not_acknowledged"):
        tree.wait(lambda status: status["counts"]["objects"] >= 30)
        strike(tree, getattr(Moment(tree, trail), name))
        tree.wait_until(lambda: tree.processes("coordinator"))
    tree.wait(is_final, 900)
    tree.wait_until(lambda: trail.left() == 0)
    assert stored(tree.store) == scanned
