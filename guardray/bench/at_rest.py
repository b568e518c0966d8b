"""What a service takes that has nothing to do: from nothing to ready, processes, memory; and what of it is Ray's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from guardray.bench.service import served

SETTLE_S = 30.0
"""After it is ready: compiled code is loaded, and what starting took is given back."""

_PARTS = {
    "gcs_server": "Ray",
    "raylet": "Ray",
    "ray::ServeController": "Ray Serve",
    "ray::ProxyActor": "Ray Serve",
    "ray::HAProxyManager": "Ray Serve",
    "haproxy": "Ray Serve",
    "ray::ServeReplica:guardray": "API",
    "ray::ServeReplica": "pool",
    "ray::CoordinatorActor": "coordinator",
    "ray::ServiceShardActor": "shard",
    "ray::ServiceIngestActor": "ingest worker",
    "ray::TrainerActor": "trainer",
    "ray::PublisherActor": "publisher",
    "ray::": "Ray",  # workers that were started beforehand
    "/ray/": "Ray",  # helpers of a node
    "guardray serve": "guardray serve",
}
"""Which part of a service a process is, by what its command line has; the first that it has counts."""

OTHERS = "others"


@dataclass(frozen=True)
class Part:
    """Some processes of one kind.

    Attributes:
        pss_mb: their share of memory, pages that several have counted once.
        cpu_s: processor time that they took since they began.
    """

    name: str
    processes: int
    pss_mb: float
    cpu_s: float


@dataclass(frozen=True)
class AtRest:
    """A service that has nothing to do.

    Attributes:
        ready_s: from nothing to ready.
        parts: what it consists of, those that take most first.
    """

    ready_s: float
    parts: tuple[Part, ...]


def measure_at_rest(folder: Path, told: Callable[[str], None], *, settle_s: float = SETTLE_S) -> AtRest:
    """Starts a service, and looks at it when it has settled.

    Args:
        folder: an empty one.
        told: hears what is being done.

    Raises:
        BenchError: the service did not start.
    """
    watched = folder / "watched"
    watched.mkdir(parents=True)
    told("at rest: starting a service")
    with served(folder, watched) as service:
        told("at rest: looking at a service")
        time.sleep(settle_s)
        return AtRest(service.ready_s, tuple(parts_of(psutil.Process(service.pid))))


def parts_of(process: psutil.Process) -> Iterator[Part]:
    """A process and all that it started, by what they are: those that take most first."""
    found: dict[str, list[tuple[float, float]]] = {}
    for one in (process, *process.children(recursive=True)):
        try:
            times, words = one.cpu_times(), " ".join(one.cmdline())
            taken = one.memory_full_info().pss / 1e6, times.user + times.system
        except psutil.NoSuchProcess:  # it ended meanwhile
            continue
        found.setdefault(part_of(words), []).append(taken)
    parts = [
        Part(name, len(of), sum(memory for memory, _ in of), sum(cpu for _, cpu in of)) for name, of in found.items()
    ]
    yield from sorted(parts, key=lambda part: -part.pss_mb)


def part_of(command: str) -> str:
    """Which part of a service a process is, by its command line."""
    return next((part for mark, part in _PARTS.items() if mark in command), OTHERS)
