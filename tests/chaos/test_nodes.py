"""Nodes of a cluster die, or are cut off and come back: it comes to what a scan finds all the same."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.chaos.networks import HERE, Machine, Network, NetworksNotAllowedError, network
from tests.chaos.nodes import ENVIRONMENT, Nodes
from tests.chaos.tree import MakeTree, Tree, free_port, is_final
from tests.service.running import Plain, stored

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(2400)]

CREW = ("shard", "worker")


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Of a cluster; its processes are to have the variables."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with tempfile.TemporaryDirectory(prefix="gr-", ignore_cleanup_errors=True) as made:
        yield Path(made)


@pytest.fixture
def config(config: dict[str, Any]) -> dict[str, Any]:
    """So small epochs that nodes are lost long before all is read."""
    return config | {"epoch": {"max_objects": 10, "interval": "5s"}}


def is_at_work(status: dict[str, Any]) -> bool:
    """Whether it is past its beginning, and has not read all."""
    return bool(status["counts"]["objects"] >= 20 and sum(one["backlog"] for one in status["sources"]))


def has_crew(tree: Tree) -> bool:
    return [len(tree.processes(kind)) for kind in ("coordinator", *CREW)] == [1, 2, 1]


def test_nodes_that_die_with_what_runs_on_them_change_no_finding(
    make_tree: MakeTree, config: dict[str, Any], scanned: Plain, folder: Path
):
    tree = make_tree(config | {"ray": {"address": f"{HERE.host}:{free_port()}"}})
    nodes = Nodes(tree, folder)
    nodes.start_head()
    for name in ("first", "second"):
        nodes.start(name)
    tree.start()
    for name, kind in (("first", "raylet"), ("second", None)):
        tree.wait(is_at_work)
        tree.wait_until(lambda: has_crew(tree))
        lost = [one for crew in CREW for one in tree.processes(crew, name)]
        assert lost
        assert tree.kill(kind, name)
        psutil.wait_procs(lost)
        tree.wait_until(lambda: has_crew(tree))
        nodes.start(name)
    tree.wait(is_final, 900)
    assert tree.starts == 1
    assert stored(tree.store) == scanned


@pytest.fixture
def two_machines() -> Iterator[tuple[Network, Machine, Machine]]:
    try:
        with network() as made:
            yield made
    except NetworksNotAllowedError as error:
        pytest.skip(str(error))


def test_of_a_coordinator_that_is_cut_off_and_the_one_in_its_place_one_alone_writes(
    make_tree: MakeTree,
    config: dict[str, Any],
    scanned: Plain,
    folder: Path,
    two_machines: tuple[Network, Machine, Machine],
):
    cables, near, far = two_machines
    tree = make_tree(config | {"ray": {"address": f"{near.host}:{free_port()}"}}, near.enter)
    nodes = Nodes(tree, folder)
    nodes.start_head(near)
    nodes.start("far", far)
    tree.start()
    cut_off = coordinator_on(tree, "far")
    fence = tree.wait(is_at_work)["status"]["fence"]
    said = Path(f"/proc/{cut_off.pid}/fd/2").resolve()

    cables.cut_off(far)  # with all that reads and counts, and with the database, which is a file
    nodes.start("spare", near)
    told = tree.wait(partial(_is_after, fence))
    assert told["status"]["fence"] == fence + 1
    tree.wait_until(lambda: '"replaced"' in said.read_text(), 120)

    cables.connect(far)
    psutil.wait_procs([cut_off, *tree.processes("raylet", "far")])  # Ray ends a node that it has given up
    tree.kill(node="far")
    nodes.start("far", far)
    told = tree.wait(is_final, 900)
    assert told["status"]["fence"] == fence + 1
    assert tree.starts == 1
    assert stored(tree.store) == scanned


def coordinator_on(tree: Tree, node: str) -> psutil.Process:
    """The coordinator, once Ray has put it there: it is killed until then."""
    at_work = tree.wait(is_at_work)
    while not (found := tree.processes("coordinator", node)):
        assert tree.kill("coordinator")
        at_work = tree.wait(partial(_is_after, at_work["status"]["fence"]))
    return found[0]


def _is_after(fence: int, status: dict[str, Any]) -> bool:
    return status["fence"] > fence and is_at_work(status)
