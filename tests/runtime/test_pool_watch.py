"""Whoever wants to know how the pools stand does not wait for Serve."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from guardray.runtime.pool_watch import PoolWatch
from guardray.service.status import PoolStatus

POOLS = (PoolStatus(name="detectors", replicas=1, wanted=2),)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_last_look_is_told_and_the_next_is_begun():
    watch = PoolWatch(lambda: POOLS, every_s=0)
    assert watch.latest() == ()
    wait_until(lambda: watch.latest() == POOLS)


def test_a_look_that_hangs_holds_nobody_up_and_no_other_is_begun_meanwhile():
    serve, looks = threading.Event(), []

    def look() -> tuple[PoolStatus, ...]:
        looks.append(time.monotonic())
        serve.wait(30)
        return POOLS

    watch = PoolWatch(look, every_s=0)
    assert [watch.latest() for _ in range(5)] == [()] * 5
    assert len(looks) == 1
    serve.set()
    wait_until(lambda: watch.latest() == POOLS)


def test_between_looks_there_is_a_pause():
    looks: list[int] = []

    def look() -> tuple[PoolStatus, ...]:
        looks.append(1)
        return POOLS

    watch = PoolWatch(look, every_s=60)
    watch.latest()
    wait_until(lambda: watch.latest() == POOLS)
    assert len(looks) == 1
