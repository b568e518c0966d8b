"""An ingest worker that has grown beyond its memory limit is replaced between two epochs, and nothing is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import ray

from guardray.context.enrich import Surroundings
from guardray.dataflow.local import LocalEngine
from guardray.dataflow.report import report
from guardray.dataflow.scan import Observer, ScanSettings
from guardray.detectors.loader import load_detectors
from guardray.intel.store import IndicatorStore
from guardray.runtime.crew import RayCrew
from guardray.service.listener import Listener
from guardray.service.memory_limit import MemoryLimit
from guardray.service.pace import Pace
from guardray.sources.objects import KeyFilter, locate
from tests.runtime.ten_days import write_ten_days
from tests.service.running import Service, folder_source, plain, stored

pytestmark = pytest.mark.ray

SETTINGS = ScanSettings(detectors=load_detectors(), indicators=IndicatorStore())


class NoLoss(Listener):
    """Fails where the crew is made anew."""

    def on_loss(self) -> None:
        pytest.fail("a replaced worker is no loss")


def outgrow(actor: Any) -> None:
    """An ingest worker has grown beyond its memory limit."""
    ray.get(actor.__ray_call__.remote(lambda one: setattr(one, "_limit", MemoryLimit(0, youth_s=0))), timeout=60)


def test_a_worker_that_takes_too_much_memory_is_replaced_and_no_state_is_lost(ray_cluster: None, tmp_path: Path):
    logs = write_ten_days(tmp_path / "account")
    result = LocalEngine(SETTINGS).scan(locate([str(logs)], KeyFilter()), Observer())
    crew = RayCrew(SETTINGS, Surroundings(SETTINGS.indicators), workers=1, shards=1)
    store_url = str(tmp_path / "findings.db")
    service = Service(
        SETTINGS,
        folder_source(logs),
        store_url,
        str(tmp_path / "checkpoints"),
        crew=crew,
        pace=Pace(max_objects=4, checkpoint_every=timedelta(minutes=30)),
        listener=NoLoss(),
    )
    service.start()
    service.coordinator.step()
    before = crew._workers[0]
    outgrow(before)
    service.coordinator.finish()
    assert crew.replaced == 1
    assert crew._workers[0] != before
    service.coordinator.stop()
    service.store.close()
    assert stored(store_url) == plain(report(result, SETTINGS, datetime.now(UTC))[0])
