"""The publisher of a real service is killed again and again: every finding is delivered, and known by its id."""

from __future__ import annotations

import json
import random
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.tree import MakeTree, is_final
from tests.publish.hook_server import running
from tests.service.running import Plain, stored

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(2400)]

KILLS = 5


def test_a_publisher_that_is_killed_delivers_every_finding_by_an_id_that_stays(
    make_tree: MakeTree,
    config: dict[str, Any],
    scanned: Plain,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    chance = random.Random(8)
    monkeypatch.setenv("HOOK_SECRET", "a key that is long enough for anybody")
    with running() as hooks:
        destination = {"name": "hook", "kind": "webhook", "url": hooks.url(), "secret": {"env": "HOOK_SECRET"}}
        allowed = {"allow_http": True, "allow_private_addresses": True}
        destinations = tmp_path / "publish.yaml"
        destinations.write_text(json.dumps({"destinations": [destination | allowed]}))
        tree = make_tree(config | {"publish": str(destinations)})
        tree.start()
        tree.wait_until(lambda: hooks.requests)
        killed = 0
        while killed < KILLS:
            killed += tree.kill("publisher")
            time.sleep(chance.uniform(0, 4))
        tree.wait(is_final, 900)
        tree.wait_until(lambda: {one["detail"]["id"] for one in posted(hooks.requests)} == scanned.keys())
    assert stored(tree.store) == scanned
    bodies = defaultdict(set)
    for request in hooks.requests:
        bodies[request.headers["webhook-id"]].add(json.loads(request.body)["detail"]["id"])
    assert all(len(findings) == 1 for findings in bodies.values())


def posted(requests: list[Any]) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in requests]
