"""Parts of the service that cannot begin."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
import ray

from guardray.errors import ServiceLostError, UsageError
from guardray.runtime.service import standing_of, start_coordinator
from guardray.service.config import ServeConfig
from guardray.store.checkpoint_register import RegisteredCheckpoint
from guardray.store.service import ServiceStore

pytestmark = pytest.mark.ray


def test_a_coordinator_that_cannot_begin_says_why_in_one_line(ray_cluster, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    config = ServeConfig(data=tmp_path, store=str(tmp_path / "file" / "findings.db"))
    with pytest.raises(UsageError) as refused:
        start_coordinator(config)
    assert str(config.store) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_one_whose_checkpoints_are_all_gone_says_once_what_to_do_and_is_not_made_anew(ray_cluster, tmp_path):
    config = ServeConfig(data=tmp_path)
    now = datetime.now(UTC)
    with ServiceStore.open(config.store_url) as store:
        fence = store.lease.acquire("gone", now, timedelta(seconds=0))
        gone = RegisteredCheckpoint(
            number=1, epoch=0, fence=fence, folder="00000001-00000001", digest="0" * 64, bytes=1, created_at=now
        )
        store.checkpoints.register(gone)
    coordinator = start_coordinator(config)
    with pytest.raises(UsageError, match="guardray state reset"):
        look_at(coordinator)
    with ServiceStore.open(config.store_url) as store:
        assert store.lease.holder(datetime.now(UTC)) is None


def test_one_that_is_gone_for_good_is_told_of(ray_cluster, tmp_path):
    coordinator = start_coordinator(ServeConfig(data=tmp_path))
    while standing_of(coordinator) is None:
        time.sleep(0.1)
    ray.kill(coordinator)
    with pytest.raises(ServiceLostError, match=r"the coordinator has ended for good: .*kill"):
        look_at(coordinator)


def look_at(coordinator) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        standing_of(coordinator)
        time.sleep(0.1)
