"""Runs the measurements of all sources and puts them side by side."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from guardray.errors import BenchError
from guardray.simulate.benchmark import BenchmarkSource, benchmark_input

SEED = 1
RUNS = 3
CHILD_TIMEOUT_S = 3600

FOLDER = "{}"
"""Stands in a peer's command for the folder with the files; a command without it is given the folder at its end."""


@dataclass(frozen=True)
class Measured:
    """One source's figures: medians of `RUNS` runs, bare decode and end to end in turn, on one core.

    Rates are rows a second of wall time. End to end looks up everything: countries and networks of addresses, and a
    million indicators. `without_indicators_rows_per_s` has no lists, `without_context_rows_per_s` no geography either;
    both are null where they were left out. `ray_rows_per_s` is by number of ingest workers, empty where Ray was.
    `peer_rows_per_s` is another program's on the same files, null where none was named.
    """

    source: str
    rows: int
    bytes: int
    decode_rows_per_s: float
    end_to_end_rows_per_s: float
    ratio: float
    peak_rss_mb: float
    without_indicators_rows_per_s: float | None
    without_context_rows_per_s: float | None
    ray_rows_per_s: dict[int, float]
    peer_rows_per_s: float | None = None


def measure(
    source: BenchmarkSource,
    folder: Path,
    rows: int,
    indicators: Path,
    told: Callable[[str], None],
    ray_workers: Sequence[int] = (),
    context: bool = False,
    peer: Sequence[str] = (),
) -> Measured:
    """Makes the source's input in `folder` and measures it.

    Args:
        source: which logs.
        folder: where its input goes.
        rows: how many.
        indicators: folder of a saved `IndicatorStore`.
        told: hears what is being done.
        ray_workers: numbers of ingest workers to measure the Ray engine with.
        context: measure without indicators and without geography as well.
        peer: the command of another program, which is given the folder; none if empty.
    """
    told(f"{source}: writing {rows:,} rows")
    written = benchmark_input(folder, source, rows, SEED)
    kinds = ("all", "geography", "none") if context else ("all",)
    bare: list[dict[str, Any]] = []
    scans: dict[str, list[dict[str, Any]]] = {kind: [] for kind in kinds}
    peers: list[float] = []
    for run in range(RUNS):
        told(f"{source}: run {run + 1} of {RUNS}")
        bare.append(_child("bare", source, folder))
        for kind in kinds:
            store = (str(indicators),) if kind == "all" else ()
            scans[kind].append(_child("scan", source, folder, kind, *store))
        if peer:
            peers.append(_peer_seconds(peer, source, folder))
    ray = {}
    for workers in ray_workers:
        told(f"{source}: Ray with {workers} workers")
        ray[workers] = _rate(_child("ray", source, folder, str(workers), str(indicators), cores=None))
    scan = scans["all"]
    decode, end_to_end = _median(bare), _median(scan)
    return Measured(
        source=source,
        rows=scan[0]["rows"],
        bytes=written.size,
        decode_rows_per_s=decode,
        end_to_end_rows_per_s=end_to_end,
        ratio=statistics.median(_rate(s) / _rate(b) for s, b in zip(scan, bare, strict=True)),
        peak_rss_mb=max(result["peak_rss_mb"] for result in scan),
        without_indicators_rows_per_s=_median(scans["geography"]) if context else None,
        without_context_rows_per_s=_median(scans["none"]) if context else None,
        ray_rows_per_s=ray,
        peer_rows_per_s=scan[0]["rows"] / statistics.median(peers) if peers else None,
    )


@dataclass(frozen=True)
class Workers:
    """What some ingest workers took for a source, without shards: medians of `RUNS` runs.

    Attributes:
        wall_s: until all were done.
        cpu_s: processor time of the one that took most.
        times: as fast as the first number of workers that was measured; of processor time beside it.
    """

    source: str
    workers: int
    rows: int
    wall_s: float
    cpu_s: float
    times: float
    cpu_times: float


def measure_workers(
    source: BenchmarkSource, folder: Path, rows: int, indicators: Path, counts: Sequence[int]
) -> list[Workers]:
    """Makes the source's input in `folder`, and times so many ingest workers on it, each on one core."""
    benchmark_input(folder, source, rows, SEED)
    words = (",".join(map(str, counts)), str(RUNS), str(indicators))
    found: Any = _child("workers", source, folder, *words, cores=None, threads=1)
    first = found[0]
    return [
        Workers(source, **one, times=first["wall_s"] / one["wall_s"], cpu_times=first["cpu_s"] / one["cpu_s"])
        for one in found
    ]


def as_json(measured: Sequence[Measured]) -> str:
    """A JSON list, one object a source."""
    return json.dumps([asdict(one) for one in measured], indent=1)


def _median(results: Sequence[dict[str, Any]]) -> float:
    return statistics.median(map(_rate, results))


def _rate(result: dict[str, Any]) -> float:
    return float(result["rows"] / result["wall_s"])


def _peer_seconds(peer: Sequence[str], source: str, folder: Path) -> float:
    """How long another program takes for the files of a folder, on one core like the others."""
    command = [part.replace(FOLDER, str(folder)) for part in peer]
    if command == list(peer):
        command.append(str(folder))
    started = time.perf_counter()
    try:
        done = subprocess.run(
            command, preexec_fn=_pin(1), capture_output=True, text=True, timeout=CHILD_TIMEOUT_S, check=False
        )
    except OSError as error:
        raise BenchError("peer", source, f"{command[0]}: {error.strerror}") from error
    if done.returncode:
        raise BenchError("peer", source, done.stderr)
    return time.perf_counter() - started


def _child(
    kind: str, source: str, folder: Path, *rest: str, cores: int | None = 1, threads: int | None = None
) -> dict[str, Any]:
    """What a process of its own prints.

    Args:
        cores: that it is held to; None: to none.
        threads: of polars in it and in those that it starts; as many as cores if not given.
    """
    command = [sys.executable, "-m", "guardray.bench.child", kind, source, str(folder), *rest]
    limit = threads or cores
    environment = os.environ if limit is None else {**os.environ, "POLARS_MAX_THREADS": str(limit)}
    done = subprocess.run(
        command,
        env=environment,
        preexec_fn=None if cores is None else _pin(cores),
        capture_output=True,
        text=True,
        timeout=CHILD_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise BenchError(kind, source, done.stderr)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _pin(cores: int) -> Callable[[], None] | None:
    """Holds a process to so many cores. None where the system cannot: only polars is held to them there."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    return partial(os.sched_setaffinity, 0, sorted(os.sched_getaffinity(0))[:cores])
