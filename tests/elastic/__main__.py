"""`make elastic`: a load step on a cluster with an autoscaler: draws what grew and shrank, fails where it did not."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import ray

from guardray.detectors.features import FeatureSpec, specs_of
from guardray.detectors.loader import load_detectors
from guardray.runtime.pools import PoolClient, pool_status
from guardray.service.models import EpochScorer
from guardray.simulate.rates import Rates
from guardray.simulate.run import simulate
from guardray.store.database import Database
from guardray.store.service_status import StatusBoard
from tests.chaos.tree import Tree
from tests.elastic.cluster import autoscaling
from tests.elastic.course import Sample, draw, failures
from tests.runtime.small_models import ACCOUNT, add_model, promote
from tests.soak.load import Load

SAMPLE_S = 2.0
QUIET, STEP = 1.0, 40.0
"""Objects a second before and after the step, and in it: more than one worker reads."""

CALLERS = 6
ROWS = 20_000
DAYS = 6
"""Of simulated logs, which are enough for the step."""

START_S = 600.0
"""A busy machine takes minutes until the service, its pool and the first replica are there."""

MOST_NODES = 4
SETTLE_S = 420.0
"""What has grown must be back where it was so long after the step: replicas are let go after a minute, workers after
`quiet`, and nodes when they have been idle for a while."""

_CONFIG = {
    "ingest": {"min": 1, "max": 3, "target_age": "10s", "quiet": "45s"},
    "models": {"pool": {"min": 1, "max": 3, "cpus": 0.5}, "training": False},
    "patience": {"idle": "1m"},
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="elastic", description=__doc__)
    parser.add_argument("--step-s", type=float, default=90.0)
    parser.add_argument("--out", type=Path, default=Path("elastic.json"))
    parser.add_argument("--plot", type=Path, default=Path("elastic.svg"))
    options = parser.parse_args()
    os.environ |= {"RAY_AUTH_MODE": "disabled", "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "30"}
    with tempfile.TemporaryDirectory(prefix="gr-") as folder, autoscaling(Path(folder), MOST_NODES) as address:
        ray.init(address, log_to_driver=False)
        try:
            samples = elastic(Path(folder), address, options.step_s)
        finally:
            ray.shutdown()  # before the cluster ends: a driver without one ends at once, and says nothing of errors
    draw(samples, options.plot)
    found = failures(samples)
    told = {"failures": found, "samples": [asdict(one) for one in samples]}
    options.out.write_bytes(msgspec.json.format(msgspec.json.encode(told)))
    sys.stderr.write("\n".join(found or ["passed: all grew with the load and shrank after it"]) + "\n")
    return 1 if found else 0


def elastic(folder: Path, address: str, step_s: float) -> list[Sample]:
    """Samples of a service before, in and after a load step."""
    first = datetime(2026, 6, 1, tzinfo=UTC)
    simulate(folder / "days", accounts=1, days=DAYS, seed=5, rate=Rates.named("quiet"), start=first)
    logs = folder / "watched"
    logs.mkdir()
    specs = specs_of(load_detectors())
    tree = Tree(folder / "service", {"sources": [str(logs)], "ray": {"address": address}, **_CONFIG})
    for spec in specs:
        promote(add_model(Path(tree.config["data"]) / "models", "v1", 1e6, spec=spec), "v1", spec)
    load = Load([folder / "days"], logs, QUIET)
    callers = Callers(specs[0])
    tree.start()
    try:
        tree.wait(
            lambda status: status["phase"] == "running" and any(one["replicas"] for one in status["pools"]), START_S
        )
        recorder = Recorder(tree.store, load, callers)
        load.start()
        recorder.go_on(20.0)
        load.set_rate(STEP)
        callers.set(CALLERS)
        recorder.go_on(step_s)
        load.set_rate(QUIET)
        callers.set(0)
        recorder.go_on(SETTLE_S, until_as_before=True)
        load.stop()
        tree.stop()
        return recorder.samples
    finally:
        callers.set(0)
        tree.kill()


class Callers:
    """Threads that ask the pool without a pause, as shards do when a day closes."""

    def __init__(self, spec: FeatureSpec) -> None:
        self._spec = spec
        rng = np.random.default_rng(1)
        rows = {name: rng.uniform(0, 9, ROWS) for name in spec.names}
        self._rows = pl.DataFrame({spec.whose[0]: [ACCOUNT] * ROWS, **rows})
        self.count = 0

    def set(self, count: int) -> None:
        """Have so many of them."""
        first, self.count = self.count, count
        for index in range(first, count):
            threading.Thread(target=self._call, args=(index,), daemon=True).start()

    def _call(self, index: int) -> None:
        while index < self.count:
            scorer = EpochScorer(PoolClient().score)  # a new one, since it does not ask twice for the same
            scorer.use({self._spec.name: "v1"})
            scorer.score(self._spec, self._rows.with_columns(pl.col(self._spec.names[0]) + index))


class Recorder:
    """Looks every now and then."""

    def __init__(self, store: str, load: Load, callers: Callers) -> None:
        self._board, self._load, self._callers = StatusBoard(Database(store)), load, callers
        self._began, self._last = time.monotonic(), (time.monotonic(), 0)
        self.samples: list[Sample] = []

    def go_on(self, seconds: float, *, until_as_before: bool = False) -> None:
        """For so long, or until there are as many of all as there were at first."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(SAMPLE_S)
            self.samples.append(self._sample())
            if until_as_before and not failures(self.samples):
                return

    def _sample(self) -> Sample:
        now = time.monotonic()
        before, delivered = self._last
        self._last = now, self._load.delivered
        status = msgspec.json.decode(self._board.read() or "")
        return Sample(
            at_s=now - self._began,
            objects_per_s=(self._load.delivered - delivered) / (now - before),
            callers=self._callers.count,
            backlog=sum(one["backlog"] for one in status["sources"]),
            workers=status["ingest"]["workers"],
            replicas=sum(one.replicas for one in pool_status()),
            nodes=sum(node["Alive"] for node in ray.nodes()),
        )


if __name__ == "__main__":
    sys.exit(main())
