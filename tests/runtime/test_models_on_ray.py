"""On Ray the pool scores for the shards: findings are those of a scan with the same models, whatever is killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import ray
from ray import serve

from guardray.context.enrich import Surroundings
from guardray.dataflow.local import LocalEngine
from guardray.dataflow.report import report
from guardray.dataflow.scan import Observer, ScanSettings
from guardray.detectors.features import specs_of
from guardray.detectors.loader import load_detectors
from guardray.intel.store import IndicatorStore
from guardray.models.archive import Archive
from guardray.models.registry import Registry
from guardray.runtime.crew import RayCrew
from guardray.runtime.pools import POOL, PoolClient, PoolSize
from guardray.runtime.trainer import PoolKeeper
from guardray.service.features import FeatureArchive
from guardray.service.models import EpochScorer, LoadedModels, ModelsInForce
from guardray.service.pace import Pace
from guardray.sources.objects import KeyFilter, locate
from tests.runtime.small_models import add_model, promote
from tests.runtime.ten_days import write_ten_days
from tests.service.running import Service, folder_source, plain, stored

pytestmark = [pytest.mark.ray, pytest.mark.slow]

SPECS = specs_of(load_detectors())
SETTINGS = ScanSettings(detectors=load_detectors(), indicators=IndicatorStore())


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    for spec in SPECS:
        promote(add_model(tmp_path / "models", "v1", 0.2, spec=spec), "v1", spec)
    return Registry(tmp_path / "models")


@pytest.fixture
def pool(ray_cluster: None, registry: Registry) -> Iterator[None]:
    serve.start(proxy_location="Disabled")
    PoolKeeper(registry, SPECS, PoolSize(max=1)).look(0.0)
    yield
    serve.shutdown()


def kill_replicas() -> None:
    for one in ray.util.list_named_actors(all_namespaces=True):
        if f"#{POOL}#" in one["name"]:
            actor = ray.get_actor(one["name"], one["namespace"])
            os.kill(ray.get(actor.__ray_call__.remote(lambda _: os.getpid()), timeout=60), signal.SIGKILL)


def test_findings_with_a_pool_whose_replicas_are_killed_are_those_of_a_scan(
    pool: None, registry: Registry, tmp_path: Path
):
    logs = write_ten_days(tmp_path / "account")
    scorer = EpochScorer(LoadedModels(registry).score)
    scorer.use({spec.name: "v1" for spec in SPECS})
    result = LocalEngine(replace(SETTINGS, scorer=scorer)).scan(locate([str(logs)], KeyFilter()), Observer())
    expected = plain(report(result, SETTINGS, datetime.now(UTC))[0])

    settings = replace(SETTINGS, scorer=EpochScorer(PoolClient().score), archives=True)
    surroundings = Surroundings(settings.indicators, settings.geography)
    archive = Archive(tmp_path / "archive")
    crew = RayCrew(settings, surroundings, workers=1, shards=2, learned=FeatureArchive(archive, SPECS))
    store_url = str(tmp_path / "findings.db")
    service = Service(
        SETTINGS,
        folder_source(logs),
        store_url,
        str(tmp_path / "checkpoints"),
        crew=crew,
        pace=Pace(max_objects=2, checkpoint_every=timedelta(minutes=30)),
        models=ModelsInForce(registry, SPECS, pytest.fail).current,
    )
    service.start()
    while service.coordinator.step():
        kill_replicas()
    service.coordinator.finish()
    while not (pools := crew.pools()):  # it looks in a thread of its own
        time.sleep(0.1)
    (status,) = pools
    service.coordinator.stop()
    service.store.close()
    assert stored(store_url) == expected
    assert status.name == POOL
    assert sum(archive.read(spec).height for spec in SPECS) > 0
