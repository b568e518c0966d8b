"""A process that waits for an answer of Ray learns when none can come any more."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

DRIVER = """
import os, time
import psutil, ray
from guardray.runtime.cluster import cluster, watched

@ray.remote
def never():
    time.sleep(3600)

with cluster(cpus=1), watched(lambda: os._exit(7)):
    asked = never.remote()
    for process in psutil.Process().children():
        if process.name() == KILLED:
            process.kill()
    ray.get(asked)
"""


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.parametrize("killed", ["raylet", "gcs_server"])
def test_the_loss_of_ray_is_told_to_who_waits_for_it(killed: str):
    done = subprocess.run(
        [sys.executable, "-c", f"KILLED = {killed!r}\n{DRIVER}"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=os.environ | {"RAY_AUTH_MODE": "disabled"},
    )
    assert done.returncode == 7, done.stdout + done.stderr[-3000:]


LIVING = """
import time
from guardray.runtime import cluster as module

module.LOOK_S = 0.2
with module.cluster(cpus=1), module.watched(lambda: print("lost")):
    time.sleep(3)
print("ended")
"""


@pytest.mark.ray
@pytest.mark.slow
def test_a_ray_that_lives_and_is_shut_down_in_order_is_not_told_as_lost():
    done = subprocess.run(
        [sys.executable, "-c", LIVING],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=os.environ | {"RAY_AUTH_MODE": "disabled"},
    )
    assert done.stdout.split() == ["ended"], done.stdout + done.stderr[-3000:]
