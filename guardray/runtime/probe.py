"""A proof that Ray works here: one task, run."""

from __future__ import annotations

import time

import ray
from ray.exceptions import RayError

from guardray.errors import UsageError
from guardray.runtime.cluster import cluster

TASK_TIMEOUT_S = 120.0
"""A new worker process takes seconds; on a machine that cannot give it in two minutes, a scan would not work either."""


@ray.remote
def _answer(question: int) -> int:
    return question + 1


def seconds_of_one_task(address: str | None = None) -> float:
    """How long it takes to join or start a cluster and run a task in it.

    Raises:
        UsageError: Ray could not be started or joined, or did not run the task.
    """
    started = time.perf_counter()
    try:
        with cluster(address):
            ray.get(_answer.remote(1), timeout=TASK_TIMEOUT_S)
    except RayError as error:
        raise UsageError(f"Ray did not run a task: {error}") from error
    return time.perf_counter() - started
