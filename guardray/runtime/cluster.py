"""Joining or starting a Ray cluster."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import ray


@contextmanager
def cluster(address: str | None = None, cpus: int | None = None) -> Iterator[None]:
    """A Ray cluster for as long as the context lasts: the one joined already, the one at `address`, or a new one.

    Args:
        address: `auto` or `host:port` of a running cluster; None starts one on this machine.
        cpus: cores of a new cluster; None takes all.
    """
    if ray.is_initialized():
        yield
        return
    # Workers find the driver's environment packaged and uploaded otherwise, which costs seconds here and is not needed.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    ray.init(
        address=address,
        num_cpus=None if address else cpus,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.WARNING,
    )
    try:
        yield
    finally:
        ray.shutdown()


def cores() -> int:
    """Cores of the cluster that this process has joined, at least one."""
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return max(1, int(resources.get("CPU", 1)))
