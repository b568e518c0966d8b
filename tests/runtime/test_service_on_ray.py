"""The service's crew in Ray actors comes to what a scan finds, also when its processes are killed meanwhile."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import ray

from guardray.context.enrich import Surroundings
from guardray.dataflow.local import LocalEngine
from guardray.dataflow.report import report
from guardray.dataflow.scan import Observer, ScanSettings
from guardray.runtime.crew import RayCrew
from guardray.service.listener import Listener
from guardray.service.memory_limit import MemoryLimit
from guardray.service.pace import Pace
from guardray.simulate.rates import Rates
from guardray.simulate.run import simulate
from guardray.sources.objects import KeyFilter, locate
from tests.service.running import Plain, Service, folder_source, plain, settings_of, stored

pytestmark = [pytest.mark.ray, pytest.mark.slow]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a simulated day, with attacks in it."""
    folder = tmp_path_factory.mktemp("account") / "logs"
    simulate(folder, accounts=1, days=1, seed=5, rate=Rates.named("quiet"))
    return folder


@pytest.fixture(scope="module")
def settings(logs: Path) -> ScanSettings:
    return settings_of(logs)


@pytest.fixture(scope="module")
def scanned(settings: ScanSettings, logs: Path) -> Plain:
    result = LocalEngine(settings).scan(locate([str(logs / "AWSLogs")], KeyFilter()), Observer())
    return plain(report(result, settings, datetime.now(UTC))[0])


class Losses(Listener):
    """Counts how often the crew was made anew."""

    def __init__(self) -> None:
        self.count = 0

    def on_loss(self) -> None:
        self.count += 1


def kill(actor: Any) -> None:
    """SIGKILL, to the process of an actor."""
    pid = ray.get(actor.__ray_call__.remote(lambda _: os.getpid()), timeout=60)
    os.kill(pid, signal.SIGKILL)


def outgrow(actor: Any) -> None:
    """An ingest worker has grown beyond its memory limit."""
    ray.get(actor.__ray_call__.remote(lambda one: setattr(one, "_limit", MemoryLimit(0, youth_s=0))), timeout=60)


def test_a_worker_that_takes_too_much_memory_is_replaced_and_no_state_is_lost(
    ray_cluster: None, settings: ScanSettings, logs: Path, scanned: Plain, tmp_path: Path
):
    crew = RayCrew(settings, Surroundings(settings.indicators, settings.geography), workers=1, shards=1)
    losses = Losses()
    store_url = str(tmp_path / "findings.db")
    source = folder_source(logs / "AWSLogs")
    service = Service(settings, source, store_url, str(tmp_path / "checkpoints"), crew=crew, listener=losses)
    service.start()
    service.coordinator.step()
    before = crew._workers[0]
    outgrow(before)
    service.coordinator.finish()
    assert crew.replaced == 1
    assert crew._workers[0] != before
    service.coordinator.stop()
    service.store.close()
    assert losses.count == 0
    assert stored(store_url) == scanned


def test_killed_workers_and_shards_are_made_anew_and_the_findings_are_those_of_a_scan(
    ray_cluster: None, settings: ScanSettings, logs: Path, scanned: Plain, tmp_path: Path
):
    crew = RayCrew(settings, Surroundings(settings.indicators, settings.geography), workers=2, shards=2)
    losses = Losses()
    store_url = str(tmp_path / "findings.db")
    service = Service(
        settings,
        folder_source(logs / "AWSLogs"),
        store_url,
        str(tmp_path / "checkpoints"),
        crew=crew,
        pace=Pace(max_objects=200, checkpoint_every=timedelta(seconds=20)),
        listener=losses,
    )
    service.start()
    for kind in ("_workers", "_shards"):
        service.coordinator.step()
        kill(getattr(crew, kind)[-1])
    service.coordinator.finish()
    service.coordinator.stop()
    service.store.close()
    assert losses.count == 2
    assert stored(store_url) == scanned
