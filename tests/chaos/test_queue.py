"""A real service that is told of S3 objects by a queue, which repeats itself, while S3 answers badly."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from guardray.connectors.source import utc_now
from guardray.connectors.sqs import QueueConfig, QueueSource
from guardray.service.coordinator import Pace
from tests.chaos.bad_network import FAILURES, BadWay, bad_way_to
from tests.chaos.trail import REGION, Trail
from tests.chaos.tree import MakeTree, is_final
from tests.service.running import Plain, Service, settings_of, stored

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]


@pytest.mark.ray
def test_messages_that_come_again_and_a_store_that_answers_badly_change_no_finding(
    make_tree: MakeTree,
    config: dict[str, Any],
    account: Path,
    scanned: Plain,
    aws: str,
    monkeypatch: pytest.MonkeyPatch,
):
    way = BadWay(likely=0.2, seed=5)
    trail = Trail(aws, account / "AWSLogs")
    assert trail.tell(trail.objects, random.Random(4)) > 0.4 * len(trail.objects)
    with bad_way_to(aws, way) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
        tree = make_tree(config | {"sources": [trail.source(visibility="20s")]})
        tree.start()
        for kind in ("coordinator", "worker", "coordinator"):
            tree.wait(lambda status: status["counts"]["objects"] >= 60)
            tree.kill(kind)
        tree.wait(is_final, 900)
        tree.wait_until(lambda: trail.left() == 0)
    assert all(way.done[failure] >= 5 for failure in FAILURES)
    assert stored(tree.store) == scanned


def test_a_coordinator_that_ends_without_a_word_waits_for_what_the_queue_hands_out_again(
    account: Path, scanned: Plain, aws: str, tmp_path: Path
):
    trail = Trail(aws, account / "AWSLogs")
    trail.tell(trail.objects, random.Random(9))
    visibility = timedelta(seconds=20)
    config = QueueConfig(url=trail.url, region=REGION, endpoint=aws, visibility=visibility, max_receives=1000)
    pace = Pace(max_objects=60, checkpoint_every=timedelta(seconds=1))
    with bad_way_to(aws, BadWay(likely=0.2, seed=10)) as endpoint:
        settings = replace(settings_of(account), s3_endpoint=endpoint)

        def begun() -> Service:
            source = QueueSource(config)
            store, checkpoints = str(tmp_path / "findings.db"), str(tmp_path / "checkpoints")
            service = Service(settings, source, store, checkpoints, pace=pace, clock=utc_now)
            service.start()
            return service

        for steps in (2, 3):
            service = begun()
            for _ in range(steps):
                service.coordinator.step()
            service.store.close()
        service = begun()
        deadline = time.monotonic() + 900
        while trail.left():
            assert time.monotonic() < deadline
            if not service.coordinator.step():
                time.sleep(0.2)
        service.coordinator.finish()
        service.coordinator.stop()
        service.store.close()
    assert stored(str(tmp_path / "findings.db")) == scanned
