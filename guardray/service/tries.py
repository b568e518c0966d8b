"""Pauses between tries of what should work, and an end to them when the service is told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable

from guardray.errors import StoppedError

PAUSES_S = (0.2, 1.0, 5.0, 15.0)
"""Between tries: a database or a store that is being started again is back within a minute."""


class Tries:
    """Of one service. `stop` may be called from any thread.

    Args:
        sleep: waits for so many seconds; if not given, for a request to stop at most so long.
    """

    def __init__(self, sleep: Callable[[float], object] | None = None) -> None:
        self._stopping = threading.Event()
        self._sleep = sleep or self._stopping.wait

    def stop(self) -> None:
        """Try nothing once more."""
        self._stopping.set()

    def check(self) -> None:
        """Raises StoppedError where the service was told to stop."""
        if self._stopping.is_set():
            raise StoppedError

    def pause(self, attempt: int) -> None:
        """Wait before the next try.

        Args:
            attempt: how many were there before the one that failed.

        Raises:
            StoppedError: the service is told to stop.
        """
        self.check()
        self._sleep(PAUSES_S[min(attempt, len(PAUSES_S) - 1)])
        self.check()
