"""`make soak`: feeds a real service, samples it, writes soak.json, and fails when memory or queues grow."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import msgspec
import psutil

from tests.chaos.tree import Tree
from tests.soak.load import Load, simulated_day
from tests.soak.verdict import Sample, failures, growth

SAMPLE_S = 10.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--objects-per-s", type=float, default=2.0)
    parser.add_argument("--out", type=Path, default=Path("soak.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="guardray-soak-") as folder:
        samples = soak(Path(folder), options.minutes * 60, options.objects_per_s)
    memory, backlog = growth(samples)
    told = {"mb_per_hour": memory, "backlog_per_minute": backlog, "samples": [asdict(one) for one in samples]}
    options.out.write_bytes(msgspec.json.format(msgspec.json.encode(told)))
    found = failures(samples)
    for failure in found:
        sys.stderr.write(f"{failure}\n")
    return 1 if found else 0


def soak(folder: Path, seconds: float, objects_per_s: float) -> list[Sample]:
    """Samples of a service under load for so long."""
    logs = folder / "watched"
    logs.mkdir()
    tree = Tree(folder / "service", {"sources": [str(logs)]})
    load = Load(simulated_day(folder / "day"), logs, objects_per_s)
    tree.start()
    try:
        tree.wait(lambda status: status["phase"] == "running")
        load.start()
        samples, began = [], time.monotonic()
        while (at := time.monotonic() - began) < seconds:
            samples.append(sample(tree, at))
            time.sleep(SAMPLE_S)
        load.stop()
        tree.stop()
        return samples
    finally:
        tree.kill()


def sample(tree: Tree, at_s: float) -> Sample:
    """How the service stands now."""
    status = tree.status()["status"] or {}
    latency = status.get("latency") or {}
    return Sample(
        at_s=at_s,
        pss_mb=memory_of(tree),
        backlog=sum(one["backlog"] for one in status.get("sources", ())),
        p50_s=latency.get("p50_s"),
        p95_s=latency.get("p95_s"),
    )


def memory_of(tree: Tree) -> dict[str, float]:
    """MB by process, named by what it is and its id."""
    found = {}
    for process in tree.processes():
        try:
            name = (process.cmdline() or [process.name()])[0].rsplit("/", 1)[-1]
            found[f"{name} {process.pid}"] = process.memory_full_info().pss / 1e6
        except psutil.NoSuchProcess:  # it ended meanwhile
            continue
    return found


if __name__ == "__main__":
    sys.exit(main())
