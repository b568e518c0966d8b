"""Joining or starting a Ray cluster."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue

import psutil
import ray
from ray.exceptions import RayError

from guardray.errors import UsageError

CONNECT_TIMEOUT_S = 10.0
"""Far more than any network takes; an address that says nothing for so long is wrong, or behind a firewall."""

ANSWER_TIMEOUT_S = 60.0
"""A head that is started again answers within seconds."""

LOOK_S = 5.0
"""Between looks whether Ray lives: without it nothing is done any more, and only a new start helps."""

END_S = 5.0
"""A look that is under way is waited for so long before Ray is shut down."""

_CORE = frozenset({"gcs_server", "raylet"})


@contextmanager
def cluster(address: str | None = None, cpus: int | None = None) -> Iterator[None]:
    """A Ray cluster for as long as the context lasts: the one joined already, the one at `address`, or a new one.

    Args:
        address: `auto` or `host:port` of a running cluster; None starts one on this machine.
        cpus: cores of a new cluster; None takes all.

    Raises:
        UsageError: there is none at the address, or none can be started here.
    """
    if ray.is_initialized():
        yield
        return
    # Workers find the driver's environment packaged and uploaded otherwise, which costs seconds here and is not needed.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    try:
        _check_reachable(address)
        ray.init(
            address=address,
            num_cpus=None if address else cpus,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (RayError, OSError, RuntimeError, ValueError, OverflowError) as error:
        done = "started" if address is None else f"joined at {address}"
        reason = str(error).strip().partition("\n")[0]
        raise UsageError(f"Ray cannot be {done}: {reason}") from error
    try:
        yield
    finally:
        ray.shutdown()


def _check_reachable(address: str | None) -> None:
    """Raises OSError where nobody listens at `host:port`. Ray itself would try for many minutes."""
    host, _, port = (address or "").rpartition(":")
    if port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_TIMEOUT_S).close()


def cores() -> int:
    """Cores of the cluster that this process has joined, at least one."""
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return max(1, int(resources.get("CPU", 1)))


class Pulse:
    """Whether Ray lives. Without its head, Ray itself would answer nothing, and raise nothing either."""

    def __init__(self) -> None:
        started_here = psutil.Process().children()
        self._core = [process for process in started_here if process.name() in _CORE]

    def beats(self) -> bool:
        """Whether what this process started of Ray runs, and its node counts as one of the cluster."""
        if not all(map(_runs, self._core)):
            return False
        answers: SimpleQueue[bool] = SimpleQueue()
        # A thread that nobody waits for: where the head is gone, the question never ends.
        threading.Thread(target=lambda: answers.put(_own_node_lives()), name="pulse", daemon=True).start()
        try:
            return answers.get(timeout=ANSWER_TIMEOUT_S)
        except Empty:
            return False


@contextmanager
def watched(on_loss: Callable[[], object]) -> Iterator[None]:
    """Looks whether Ray lives for as long as the context lasts, in a thread: who waits for Ray then, waits for ever.

    Args:
        on_loss: called once, in that thread, when Ray is gone.
    """
    pulse, ended = Pulse(), threading.Event()

    def look() -> None:
        while not ended.wait(LOOK_S):
            if not pulse.beats() and not ended.is_set():
                on_loss()
                return

    thread = threading.Thread(target=look, name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(END_S)


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _own_node_lives() -> bool:
    own = ray.get_runtime_context().get_node_id()
    nodes: list[dict[str, object]] = ray.nodes()  # type: ignore[no-untyped-call]
    return any(node["NodeID"] == own and node["Alive"] for node in nodes)
