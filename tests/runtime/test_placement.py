"""Shards are spread over the nodes of a cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.runtime.placement import Node, placed


@given(shards=st.integers(0, 64), nodes=st.integers(1, 9))
def test_no_node_has_two_shards_more_than_another(shards: int, nodes: int):
    on = [Node(str(index), 4.0) for index in range(nodes)]
    counts = Counter(placed(shards, on))
    assert max(counts.values(), default=0) - min((counts[node.id] for node in on), default=0) <= 1
    assert sum(counts.values()) == shards


def test_a_head_without_cores_has_none():
    assert placed(3, [Node("head", 0), Node("a", 2), Node("b", 2)]) == ["a", "b", "a"]


def test_without_cores_anywhere_they_are_put_where_there_is_a_node():
    assert placed(2, [Node("head", 0)]) == ["head", "head"]


def test_without_a_node_ray_decides():
    assert placed(2, []) == [None, None]


DRIVER = """
from collections import Counter

import ray
from ray.cluster_utils import Cluster

from guardray.context.enrich import Surroundings
from guardray.runtime.crew import RayCrew
from guardray.dataflow.scan import ScanSettings
from guardray.detectors.loader import load_detectors
from guardray.intel.store import IndicatorStore

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
for _ in range(2):
    cluster.add_node(num_cpus=1)
ray.init(cluster.address, log_to_driver=False)
settings = ScanSettings(detectors=load_detectors()[:1], indicators=IndicatorStore())
crew = RayCrew(settings, Surroundings(settings.indicators, settings.geography), workers=1, shards=4)
crew.start(None)
where = [ray.get(one.__ray_call__.remote(lambda _: ray.get_runtime_context().get_node_id())) for one in crew._shards]
head = ray.get_runtime_context().get_node_id()
print("spread:", sorted(Counter(where).values()), "head:", head in where)
crew.close()
ray.shutdown()
cluster.shutdown()
"""


@pytest.mark.ray
@pytest.mark.slow
def test_a_cluster_of_two_nodes_has_two_of_four_shards_on_each():
    done = subprocess.run(
        [sys.executable, "-c", DRIVER],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=os.environ | {"RAY_AUTH_MODE": "disabled"},
    )
    assert "spread: [2, 2] head: False" in done.stdout, done.stdout + done.stderr[-3000:]
