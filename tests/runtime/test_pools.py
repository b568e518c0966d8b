"""The pool of detectors scores as this process would, reloads, and is waited for when it is down."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import polars as pl
import pytest
import ray
from polars.testing import assert_frame_equal
from ray import serve

from guardray.errors import CrewLostError, ModelError
from guardray.models.registry import MODEL, Registry
from guardray.runtime.pools import POOL, PoolClient, PoolSize, deploy_pool, pool_status
from guardray.service.models import EpochScorer, LoadedModels
from tests.runtime.small_models import ROWS, SPEC, add_model

pytestmark = [pytest.mark.ray, pytest.mark.slow]

SIZE = PoolSize(min=1, max=1, cpus=0.1)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """With two versions, of which the second finds half as much."""
    folder = tmp_path_factory.mktemp("models")
    add_model(folder, "v1", 1.0)
    return add_model(folder, "v2", 2.0)


@pytest.fixture(scope="module")
def pool(ray_cluster: None, registry: Registry) -> Iterator[None]:
    """A pool with the first version in force. Without a proxy, which would want a port."""
    serve.start(proxy_location="Disabled")
    deploy_pool(registry.root, [SPEC], {"calls": "v1"}, SIZE)
    yield
    serve.shutdown()


def asked(version: str) -> pl.DataFrame:
    scorer = EpochScorer(PoolClient().score)
    scorer.use({"calls": version})
    return scorer.score(SPEC, ROWS)


def replicas() -> list[ray.actor.ActorHandle]:
    names = [one for one in ray.util.list_named_actors(all_namespaces=True) if f"#{POOL}#" in one["name"]]
    return [ray.get_actor(one["name"], one["namespace"]) for one in names]


def pids() -> set[int]:
    return {ray.get(one.__ray_call__.remote(lambda _: os.getpid()), timeout=60) for one in replicas()}


def test_without_serve_there_is_no_pool_to_tell_of(ray_cluster: None):
    assert pool_status() == ()


def test_a_pool_that_stays_away_makes_the_shard_give_up(ray_cluster: None):
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += 10 * seconds

    with pytest.raises(CrewLostError, match="has not answered for"):
        PoolClient(sleep, lambda: now[0]).score(SPEC, "v1", ROWS)


def test_a_pool_scores_as_this_process_would_by_any_version(pool: None, registry: Registry):
    for version in ("v1", "v2"):
        assert_frame_equal(asked(version), LoadedModels(registry).score(SPEC, version, ROWS))


def test_a_promotion_reloads_the_replicas_and_starts_none_anew(pool: None, registry: Registry):
    before = pids()
    deploy_pool(registry.root, [SPEC], {"calls": "v2"}, SIZE)
    asked("v2")
    assert pids() == before
    (status,) = pool_status()
    assert (status.name, status.replicas, status.wanted) == (POOL, 1, 1)


def test_a_model_that_cannot_be_loaded_is_refused_and_the_others_go_on(pool: None, registry: Registry):
    add_model(registry.root, "v3", 3.0)
    (registry.root / "calls" / "v3" / MODEL).write_bytes(b"something else")
    deploy_pool(registry.root, [SPEC], {"calls": "v3"}, SIZE)
    with pytest.raises(ModelError, match="its checksum is another"):
        PoolClient().score(SPEC, "v3", ROWS)
    assert asked("v2")["anomaly"].null_count() == 0


def test_a_killed_replica_delays_scores_and_loses_none(pool: None, registry: Registry):
    expected = asked("v1")
    (pid,) = pids()
    os.kill(pid, signal.SIGKILL)
    assert_frame_equal(asked("v1"), expected)


def test_scores_wait_for_a_pool_that_is_not_there_yet(pool: None, registry: Registry):
    expected = asked("v1")
    serve.delete(POOL)
    later = threading.Timer(5, deploy_pool, (registry.root, [SPEC], {"calls": "v1"}, SIZE))
    later.start()
    since = time.monotonic()
    assert_frame_equal(asked("v1"), expected)
    assert time.monotonic() - since > 5
    later.join()
