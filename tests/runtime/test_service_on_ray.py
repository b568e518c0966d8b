"""The service's crew in Ray actors comes to what a scan finds, also when its processes are killed meanwhile."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import ray

from guardray.context.enrich import Surroundings
from guardray.dataflow.scan import ScanSettings
from guardray.runtime.crew import RayCrew
from guardray.service.listener import Listener
from guardray.service.pace import Pace
from tests.service.conftest import account, scanned, settings
from tests.service.running import Plain, Service, folder_source, stored

__all__ = ["account", "scanned", "settings"]

pytestmark = [pytest.mark.ray, pytest.mark.slow]


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


def test_killed_workers_and_shards_are_made_anew_and_the_findings_are_those_of_a_scan(
    ray_cluster: None, settings: ScanSettings, account: Path, scanned: Plain, tmp_path: Path
):
    crew = RayCrew(settings, Surroundings(settings.indicators, settings.geography), workers=2, shards=2)
    losses = Losses()
    store_url = str(tmp_path / "findings.db")
    service = Service(
        settings,
        folder_source(account / "AWSLogs"),
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
