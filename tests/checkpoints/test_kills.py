"""A service that is killed at random moments goes on from a whole checkpoint each time, and leaves no files behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from checkpoints.committer import resume
from checkpoints.conftest import files

from guardray.checkpoints.checkpoints import Checkpoints
from guardray.store.service import ServiceStore

COMMITTER = Path(__file__).with_name("committer.py")
ROOT = Path(__file__).parents[2]
KILLS = 8
START_S = 60


def run_and_kill(store_url: str, root: str, after_s: float) -> int:
    """Start the service, kill it a while after its first checkpoint, and give the last epoch that it told of."""
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    with subprocess.Popen(
        [sys.executable, str(COMMITTER), store_url, root], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        first = process.stdout.readline()
        assert first, f"it ended by itself, with status {process.wait(START_S)}"
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split("\n")
    return int(([first, *rest[:-1]])[-1])


def test_whatever_moment_it_is_killed_at_the_state_is_that_of_a_whole_epoch(store_url, root):
    chance = random.Random(20261124)
    told = [run_and_kill(store_url, str(root), chance.uniform(0, 0.3)) for _ in range(KILLS)]
    assert told == sorted(told)
    with ServiceStore.open(store_url) as store:
        fence = store.lease.acquire("test", datetime.now(UTC), timedelta(seconds=5), take_over=True)
        checkpoints = Checkpoints(str(root), store, fence)
        manifest = checkpoints.restore().manifest
        assert resume(str(root), manifest) >= told[-1]
        assert_no_file_is_left_over(checkpoints, store, root)


def assert_no_file_is_left_over(checkpoints: Checkpoints, store: ServiceStore, root: Path) -> None:
    """One more checkpoint is written; then there is what the register needs, and nothing else."""
    draft = checkpoints.begin()
    newest = checkpoints.manifest(store.checkpoints.sound()[0])
    checkpoints.finish(draft, newest.parts, epoch=newest.epoch, shards=1, content={}, now=datetime.now(UTC))
    checkpoints.clean()
    kept = store.checkpoints.all()
    needed = {file for one in kept for file in checkpoints.manifest(one).files()}
    assert files(root) == needed | {f"{one.folder}/manifest.json" for one in kept}
