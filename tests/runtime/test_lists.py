"""Lists reach every worker: one store a node, and another one within seconds of its activation."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import ray

from guardray.context.enrich import Surroundings
from guardray.dataflow.ingest import Ingest
from guardray.detectors.ec2.connections import flow
from guardray.detectors.loader import load_detectors
from guardray.intel.store import IndicatorStore
from guardray.intel.upkeep import Library
from guardray.intel.versions import CurrentIndicators
from guardray.schema import network_activity
from guardray.testing import frame_of

PATIENCE_S = 10.0
"""Workers look once a second; the rest is for a machine with other things to do."""

LISTED = "198.51.100.7"


class Worker:
    """Ingests one flow to a listed address, over and over."""

    def __init__(self, data_folder: Path) -> None:
        lists = Surroundings(CurrentIndicators(data_folder))
        self._ingest = Ingest(load_detectors(), lists, lambda hashes, _: np.ones(len(hashes), bool))

    def found(self) -> set[str]:
        self._ingest.on_batch(network_activity.SCHEMA, frame_of(network_activity.SCHEMA, [flow(target=LISTED)]))
        return {sighting.key.finding_type for sighting in self._ingest.drain().sightings}


@pytest.mark.ray
def test_lists_that_are_activated_hold_on_every_worker_within_seconds(ray_cluster: None, tmp_path: Path):
    workers = [ray.remote(num_cpus=0)(Worker).remote(tmp_path) for _ in range(2)]
    nothing, custom = set(), {"UnauthorizedAccess:EC2/MaliciousIPCaller.Custom"}
    _wait_for(workers, nothing)
    (listed := tmp_path / "bad.txt").write_text(f"{LISTED}\n")
    Library(tmp_path).add(listed, name="bad")
    _wait_for(workers, custom)
    Library(tmp_path).add(listed, name="good", trusted=True)
    _wait_for(workers, nothing)


def _wait_for(workers: list, expected: set[str]) -> None:
    started = time.monotonic()
    while (found := ray.get([worker.found.remote() for worker in workers])) != [expected] * len(workers):
        assert time.monotonic() - started < PATIENCE_S, found
        time.sleep(0.1)


class Reader:
    """Says where a store's arrays are."""

    def read_only(self, store: IndicatorStore) -> list[bool]:
        """Whether each large array is a view of the object store, which nobody may write to."""
        arrays = (value for value in _arrays(store) if value.nbytes > 100_000)
        return [not array.flags.writeable and not array.flags.owndata for array in arrays]


def _arrays(store: IndicatorStore) -> list[np.ndarray]:
    found: list[np.ndarray] = []
    seen: set[int] = set()

    def walk(value: object) -> None:
        if id(value) in seen:
            return
        seen.add(id(value))
        if isinstance(value, np.ndarray):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            for one in value:
                walk(one)
        elif isinstance(value, dict):
            for one in value.values():
                walk(one)
        elif hasattr(value, "__dict__") and type(value).__module__.startswith("guardray"):
            walk(vars(value))

    walk(store)
    return found


@pytest.mark.ray
def test_workers_share_the_arrays_of_one_store(ray_cluster: None):
    store = IndicatorStore.of({f"{a}.{b}.{c}.7": "c2" for a in (20, 21) for b in range(100) for c in range(100)})
    shared = ray.put(store)
    readers = [ray.remote(num_cpus=0)(Reader).remote() for _ in range(2)]
    for views in ray.get([reader.read_only.remote(shared) for reader in readers]):
        assert views
        assert all(views)
