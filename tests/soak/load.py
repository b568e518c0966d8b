"""Load that goes on: objects of simulated days, delivered in the order of the dates in their names."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from guardray.sources.aws_keys import key_facts

KEPT_S = 300.0
"""Delivered objects stay for so long, as a log rotation would have it: ten times what is read again after a loss."""


class Load(threading.Thread):
    """Puts so many objects a second into a folder until it is stopped.

    Args:
        days: folders with a simulated day each.
        into: the folder that the service watches.

    Attributes:
        delivered: objects so far.
        account: whose they are.
        at: the date of the newest of them; null before the first.
    """

    def __init__(self, days: Iterable[Path], into: Path, objects_per_s: float) -> None:
        super().__init__(name="load", daemon=True)
        self._days, self._into, self._pause_s = days, into, 1 / objects_per_s
        self._stopping = threading.Event()
        self._there: deque[tuple[float, Path]] = deque()
        self.delivered, self.account, self.at = 0, "", datetime.min

    def run(self) -> None:
        due = time.monotonic()
        for day in self._days:
            for at, obj in sorted(_dated(day / "AWSLogs")):
                due = max(due, time.monotonic() - 10 * self._pause_s) + self._pause_s
                if self._stopping.wait(max(due - time.monotonic(), 0)):
                    return
                self._deliver(obj, self._into / obj.relative_to(day))
                self.at = at
                self._rotate()

    def set_rate(self, objects_per_s: float) -> None:
        """Go on with so many objects a second."""
        self._pause_s = 1 / objects_per_s

    def stop(self) -> None:
        """Deliver nothing more."""
        self._stopping.set()
        self.join()

    def _deliver(self, obj: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(obj, target)
        os.utime(target)  # it is there since now, not since it was simulated
        self.account = target.relative_to(self._into).parts[1]
        self._there.append((time.monotonic(), target))
        self.delivered += 1

    def _rotate(self) -> None:
        while self._there and time.monotonic() - self._there[0][0] > KEPT_S:
            _, gone = self._there.popleft()
            gone.unlink()
            with suppress(OSError):  # others are still there
                gone.parent.rmdir()


def _dated(folder: Path) -> Iterable[tuple[datetime, Path]]:
    for path in folder.rglob("*"):
        if path.is_file() and (at := key_facts(path.as_posix()).time) is not None:
            yield at, path
