"""Simulated days without end: each is written while the one before it is delivered."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

SEED, RATE = "5", "quiet"
DAYS_BEHIND = 300
"""How long ago the first day was: a soak passes a day in minutes, and must not come to days that are still ahead."""

_LEAST_PRIORITY = 19


class Days:
    """One account's days in their order, with the same attacks every day and other events.

    Args:
        folder: where the days are written; each is deleted when the next but one is asked for.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self._first = today - timedelta(days=DAYS_BEHIND)

    def __iter__(self) -> Iterator[Path]:
        """Folders of a day each."""
        ahead = self._simulation(0)
        try:
            for day in range(DAYS_BEHIND):
                if ahead.wait() != 0:
                    raise RuntimeError(f"day {day} was not simulated")
                ahead = self._simulation(day + 1)
                yield self._path(day)
                shutil.rmtree(self._path(day - 1), ignore_errors=True)
        finally:
            ahead.kill()
            ahead.wait()

    def _simulation(self, day: int) -> subprocess.Popen[bytes]:
        start = f"{self._first + timedelta(days=day):%Y-%m-%d}"
        command = [sys.executable, "-m", "guardray", "simulate", str(self._path(day)), "--start", start]
        return subprocess.Popen(
            [*command, "--seed", SEED, "--rate", RATE],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: os.nice(_LEAST_PRIORITY),  # so that it takes nothing from what is measured
        )

    def _path(self, day: int) -> Path:
        return self._folder / f"day-{day}"
