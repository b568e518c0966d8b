"""Processes of a real service are killed at random moments: it comes to what a scan finds all the same."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from tests.chaos.tree import ACTORS, MakeTree, is_final
from tests.service.running import Plain, stored

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(2400)]

KILLS = 10


def has_begun(status: dict[str, Any]) -> bool:
    return bool(status["counts"]["objects"])


def test_ten_random_kills_of_actors_change_no_finding(make_tree: MakeTree, config: dict[str, Any], scanned: Plain):
    chance = random.Random(11)
    tree = make_tree(config)
    tree.start()
    tree.wait(has_begun)
    killed = 0
    while killed < KILLS:
        time.sleep(chance.uniform(0.1, 4))
        killed += bool(tree.kill(chance.choice(ACTORS)))
    tree.wait(is_final, 900)
    assert stored(tree.store) == scanned


@pytest.mark.parametrize("kind", ["driver", "raylet", "gcs"])
def test_a_service_that_loses_what_it_rests_on_ends_is_started_again_and_loses_nothing(
    make_tree: MakeTree, config: dict[str, Any], scanned: Plain, kind: str
):
    tree = make_tree(config)
    tree.start()
    tree.wait(has_begun)
    assert tree.kill(kind)
    tree.wait(is_final, 900)
    assert stored(tree.store) == scanned


def test_everything_at_once_at_random_times_again_and_again_changes_no_finding(
    make_tree: MakeTree, config: dict[str, Any], scanned: Plain
):
    chance = random.Random(12)
    tree = make_tree(config)
    for _ in range(3):
        tree.start()
        tree.wait(lambda status: status["phase"] == "running")
        time.sleep(chance.uniform(0, 4))
        tree.kill()
    tree.wait(is_final, 900)
    assert stored(tree.store) == scanned
