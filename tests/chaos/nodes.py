"""Nodes of a Ray cluster on this machine, which a test starts and kills as it likes, below a service that joins it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.chaos.networks import HERE, Machine
from tests.chaos.tree import COMMAND, NODE, Tree

_RAY = COMMAND.with_name("ray")

ENVIRONMENT = {
    "RAY_AUTH_MODE": "disabled",
    "RAY_health_check_initial_delay_ms": "0",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "2000",
    "RAY_health_check_failure_threshold": "5",
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",
}
"""Of all processes: a node counts as dead within seconds, and a busy machine is given time."""


class Nodes:
    """The nodes that a service runs on. What is left of them ends with the service.

    Args:
        tree: the service, whose configuration names the address of the head.
        folder: where Ray keeps what it knows; a short path, since names of sockets may not be long.
    """

    def __init__(self, tree: Tree, folder: Path) -> None:
        self._tree, self._folder = tree, folder
        self._address: str = tree.config["ray"]["address"]

    def start_head(self, machine: Machine = HERE) -> None:
        """The head, named `head`, without cores, so that nothing is read on it. Returns when it has started."""
        _, _, port = self._address.rpartition(":")
        options = ["--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={self._folder}"]
        self._run("head", machine, 0, options)

    def start(self, name: str, machine: Machine = HERE) -> None:
        """Another node, also in the place of one that is gone. Returns when it has started."""
        self._run(name, machine, 2, [f"--address={self._address}"])

    def _run(self, name: str, machine: Machine, cpus: int, options: list[str]) -> None:
        where = [f"--node-ip-address={machine.host}", f"--num-cpus={cpus}", "--object-store-memory=100000000"]
        # Two nodes of one address would hand out the same ports else.
        ports = ["--min-worker-port=0", "--max-worker-port=0"]
        started = subprocess.run(
            [*machine.enter, _RAY, "start", *options, *where, *ports],
            env=self._tree.environment | {NODE: name},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not started.returncode, started.stdout + started.stderr
