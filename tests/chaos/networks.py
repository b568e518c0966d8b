"""Two machines on one: network namespaces on a switch, whose cables a test pulls and plugs in again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import uuid4


@dataclass(frozen=True)
class Machine:
    """Where processes run.

    Attributes:
        host: its address.
        enter: words before a command, which have it run there.
        port: of the switch, that its cable is plugged into.
    """

    host: str
    enter: tuple[str, ...] = ()
    port: str = ""


HERE = Machine("127.0.0.1")


class NetworksNotAllowedError(Exception):
    """Whoever runs the test may not make networks."""


class Network:
    """A switch with two machines. They see each other and nothing else; files are the same on both."""

    def __init__(self) -> None:
        self._name = f"guardray-{uuid4().hex[:6]}"
        self._switch = f"{self._name}-switch"
        self._spaces = [self._switch]

    def build(self) -> tuple[Machine, Machine]:
        """Raises NetworksNotAllowedError."""
        try:
            _ip("netns", "add", self._switch)
            self._of_switch("link", "add", "bridge", "type", "bridge")
            self._of_switch("link", "set", "bridge", "up")
            return self._machine(1), self._machine(2)
        except (OSError, subprocess.CalledProcessError) as error:
            reason = getattr(error, "stderr", None) or str(error)
            raise NetworksNotAllowedError(f"networks cannot be made here: {reason.strip()}") from error

    def cut_off(self, machine: Machine) -> None:
        """Nothing comes to it any more, nor from it; no connection is told."""
        self._of_switch("link", "set", machine.port, "down")

    def connect(self, machine: Machine) -> None:
        """Takes a cut back."""
        self._of_switch("link", "set", machine.port, "up")

    def remove(self) -> None:
        """Let all of it go: a network ends when the last process in it has ended."""
        for space in self._spaces:
            with suppress(OSError, subprocess.CalledProcessError):
                _ip("netns", "delete", space)

    def _machine(self, number: int) -> Machine:
        space, host, port = f"{self._name}-{number}", f"10.77.0.{number}", f"port{number}"
        _ip("netns", "add", space)
        self._spaces.append(space)
        self._of_switch("link", "add", port, "type", "veth", "peer", "name", "cable", "netns", space)
        self._of_switch("link", "set", port, "master", "bridge", "up")
        _ip("-n", space, "address", "add", f"{host}/24", "dev", "cable")
        for device in ("lo", "cable"):
            _ip("-n", space, "link", "set", device, "up")
        return Machine(host, ("ip", "netns", "exec", space), port)

    def _of_switch(self, *words: str) -> None:
        _ip("-n", self._switch, *words)


def _ip(*words: str) -> None:
    # Its messages are told to people who read the reason of a skipped test.
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True, env=os.environ | {"LC_ALL": "C"})


@contextmanager
def network() -> Iterator[tuple[Network, Machine, Machine]]:
    """A network for as long as the context lasts. Raises NetworksNotAllowedError."""
    made = Network()
    try:
        first, second = made.build()
        yield made, first, second
    finally:
        made.remove()
