"""Objects that must become findings at once, and how long each takes until the API shows its finding."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from guardray.bench.probes import is_seen, write_probe
from guardray.client import Client
from tests.soak.load import Load

EVERY_S = 5.0
LOOK_S = 0.2
"""Between questions to the API: latencies are told to so much."""

GIVEN_UP_S = 120.0


class Probes(threading.Thread):
    """Delivers one call of a user that nobody has heard of, by a tool that nobody should use; then the next.

    Args:
        load: what goes on beside; probes are dated as its newest object.
        into: the folder that the service watches.

    Attributes:
        taken: when each was written, in seconds of `time.monotonic`, and seconds until its finding was seen.
        lost: those that were not seen within `GIVEN_UP_S`.
    """

    def __init__(self, load: Load, into: Path, client: Client) -> None:
        super().__init__(name="probes", daemon=True)
        self._load, self._into, self._client = load, into, client
        self._stopping = threading.Event()
        self.taken: list[tuple[float, float]] = []
        self.lost: list[str] = []

    def run(self) -> None:
        while not self._stopping.wait(EVERY_S):
            if self._load.delivered:
                self._probe()

    def stop(self) -> None:
        """Probe no more."""
        self._stopping.set()
        self.join()

    def _probe(self) -> None:
        user, written = write_probe(self._into, self._load.account, self._load.at)
        while (waited := time.monotonic() - written) < GIVEN_UP_S:
            if is_seen(self._client, user):
                self.taken.append((written, time.monotonic() - written))
                return
            if self._stopping.wait(LOOK_S):
                return
        self.lost.append(f"{user} after {waited:.0f} s")
