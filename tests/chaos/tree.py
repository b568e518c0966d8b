"""A real `guardray serve` with all its processes, which a test kills as it likes, and only those."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import msgspec
import psutil
import pytest

from guardray.cli.standing import look
from guardray.cli.state import existing_store
from guardray.errors import GuardrayError

COMMAND = Path(__file__).resolve().parents[2] / ".venv" / "bin" / "guardray"

START_S = 600.0
"""A loaded machine takes its time to start a dozen processes that import much."""

_MARK = "CHAOS_TREE"
"""Each process inherits the variable, so that those of another test, or of somebody else, are never taken for ours."""

NODE = "CHAOS_NODE"
"""Names the node of a cluster that a process belongs to, where there are several."""

_KINDS = {
    "gcs": "gcs_server",
    "raylet": "raylet/raylet",
    "coordinator": r"^ray::.*CoordinatorActor",
    "shard": r"^ray::.*ServiceShardActor",
    "worker": r"^ray::.*ServiceIngestActor",
    "publisher": r"^ray::.*PublisherActor",
    "controller": r"^ray::.*ServeController",
    "replica": r"^ray::.*ServeReplica",
    "driver": "guardray serve",
}
"""Patterns in their command lines: Ray puts the name of an actor there, and what it is at, as in its making."""

ACTORS = ("coordinator", "shard", "worker", "controller", "replica")


class Tree:
    """The processes of one service.

    Args:
        home: where the configuration, the log and the data folder are.
        config: the settings of the configuration.
        enter: words before its command, which put it into another network.

    Attributes:
        store: the findings database: that of the data folder, unless a test sets another one.
        starts: how often it was started, by a test or since its first process had ended.
    """

    def __init__(self, home: Path, config: dict[str, Any], enter: Sequence[str] = ()) -> None:
        self._home, self._enter = home, enter
        self._mark = uuid4().hex
        self._driver: subprocess.Popen[bytes] | None = None
        self.starts = 0
        home.mkdir(parents=True, exist_ok=True)
        self.config = {"data": str(home / "data"), "api": {"port": free_port()}} | config
        self.store = str(home / "data" / "findings.db")
        self._file = home / "guardray.yaml"
        self._file.write_bytes(msgspec.yaml.encode(self.config))

    def start(self) -> None:
        """Begin, or begin again. Returns at once."""
        self.starts += 1
        with (self._home / "serve.log").open("ab") as log:
            self._driver = subprocess.Popen(
                [*self._enter, COMMAND, "serve", "--config", self._file],
                stdout=log,
                stderr=log,
                env=self.environment,
                start_new_session=True,
            )

    @property
    def environment(self) -> dict[str, str]:
        """Variables of every process that is to count as one of the service's."""
        return os.environ | {_MARK: self._mark}

    def processes(self, kind: str | None = None, node: str | None = None) -> list[psutil.Process]:
        """The living ones of a kind, or all; those of one node, or of all."""
        marks = {_MARK: self._mark} if node is None else {_MARK: self._mark, NODE: node}
        return [one for one in psutil.process_iter() if _has(one, marks) and (kind is None or _is(one, kind))]

    def kill(self, kind: str | None = None, node: str | None = None) -> int:
        """SIGKILL to all of a kind, or to every process, of one node or of all. Returns how many there were."""
        found = self.processes(kind, node)
        for one in found:
            try:
                one.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:  # it went with another one
                continue
        if self._driver is not None and kind in (None, "driver") and node is None:
            self._driver.wait()
        return len(found)

    def hold(self, kind: str, is_held: bool = True) -> None:
        """Let the processes of a kind stand still, or go on."""
        for one in self.processes(kind):
            one.send_signal(signal.SIGSTOP if is_held else signal.SIGCONT)

    def stop(self) -> int:
        """SIGTERM, as an operator would. Returns the exit status."""
        assert self._driver is not None
        self._driver.terminate()
        return self._driver.wait(START_S)

    def has_ended(self) -> bool:
        """Whether the process that was started is gone, so that whoever looks after it starts it again."""
        return self._driver is None or self._driver.poll() is not None

    def status(self) -> dict[str, Any]:
        """What `guardray status --format json` says; without `status` where it cannot say anything.

        Found out in this process: the command takes as much of a small machine, once a second, as the service does.
        """
        try:
            standing = look(existing_store(Path(), self.store), datetime.now(UTC))
        except GuardrayError:
            return {"ready": False, "status": None}
        told = {field.name: getattr(standing, field.name) for field in fields(standing)}
        return {"ready": standing.reason is None, **msgspec.json.decode(msgspec.json.encode(told))}

    def wait(self, done: Callable[[dict[str, Any]], bool], timeout_s: float = START_S) -> dict[str, Any]:
        """Until the status is as wanted; a service whose first process has ended is started again meanwhile.

        What is left of it is not cleared away: the next start has to cope with it.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self.has_ended():
                self.start()
            told = self.status()
            if told["ready"] and done(told["status"]):
                return told
            time.sleep(1)
        raise AssertionError(f"the service did not come so far: {told}\n{self.log()[-4000:]}")

    def wait_until(self, holds: Callable[[], object], timeout_s: float = START_S) -> None:
        """Until something holds that the status does not tell."""
        deadline = time.monotonic() + timeout_s
        while not holds():
            assert time.monotonic() < deadline, f"it did not come so far\n{self.log()[-4000:]}"
            time.sleep(0.2)

    def output(self, kind: str) -> str:
        """What the living processes of a kind wrote to their standard error."""
        files = [Path(f"/proc/{one.pid}/fd/2") for one in self.processes(kind)]
        return "".join(file.read_text(errors="replace") for file in files if file.exists())

    def log(self) -> str:
        """What the service wrote to its terminal."""
        return (self._home / "serve.log").read_text(errors="replace")


def _has(process: psutil.Process, marks: dict[str, str]) -> bool:
    try:
        return marks.items() <= process.environ().items() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _is(process: psutil.Process, kind: str) -> bool:
    try:
        return re.search(_KINDS[kind], " ".join(process.cmdline())) is not None
    except psutil.Error:
        return False


def is_final(status: dict[str, Any]) -> bool:
    """Whether all that came is read and safe, and event time has gone on to these days."""
    waits = sum(one["backlog"] for one in status["sources"])
    return bool(status["sources"]) and not waits and not status["pending"] and _year(status) >= "2026-06"


def _year(status: dict[str, Any]) -> str:
    return str(status["watermark"] or "")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class MakeTree(Protocol):
    """Makes services, see `Tree`."""

    def __call__(self, config: dict[str, Any], enter: Sequence[str] = ()) -> Tree: ...


@pytest.fixture
def make_tree(tmp_path: Path) -> Iterator[MakeTree]:
    """Makes services, and ends whatever is left of them."""
    made: list[Tree] = []

    def make(config: dict[str, Any], enter: Sequence[str] = ()) -> Tree:
        made.append(Tree(tmp_path / "service", config, enter))
        return made[-1]

    yield make
    for tree in made:
        tree.kill()
