"""Shards of a service say what is wrong with the state that they are to go on from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from guardray.dataflow.scan import ScanSettings
from guardray.detectors.loader import load_detectors
from guardray.errors import DamagedStateError
from guardray.intel.store import IndicatorStore
from guardray.runtime.crew import ServiceShardActor
from guardray.service.crew import Kept
from guardray.service.room import Room
from tests.service.running import Service, folder_source

SETTINGS = ScanSettings(detectors=load_detectors(), indicators=IndicatorStore())


def test_a_shard_actor_starts_with_any_state_and_tells_of_damage_when_it_is_asked(
    tmp_path: Path, state: dict[str, Any]
):
    service = Service(SETTINGS, folder_source(tmp_path), **state)
    service.start()
    service.coordinator.checkpoint()
    checkpoints = service.coordinator._checkpointing._checkpoints
    manifest = checkpoints.manifest(service.store.checkpoints.sound()[0])
    service.store.close()
    for file in Path(state["checkpoints_url"]).rglob("*.arrow*"):
        file.unlink()
    shard = ServiceShardActor(SETTINGS, 0)
    with pytest.raises(DamagedStateError):
        shard.restore(2, Kept(state["checkpoints_url"], manifest), Room(), None)
