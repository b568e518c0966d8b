"""How the pools stand, for whoever must not wait for Serve: the coordinator, above all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from guardray.service.status import PoolStatus

LOOK_S = 5.0
"""Between looks at the pools, which ask the controller of Serve."""


class PoolWatch:
    """Looks every now and then, and tells what the last look has found.

    Serve sets no limit to how long its controller may take to answer. One that hangs, or is on a node that is cut off,
    would hold up whoever asked, for good.

    Args:
        look: takes as long as it takes, in a thread of its own.
        every_s: pause between looks.
    """

    def __init__(self, look: Callable[[], Sequence[PoolStatus]], every_s: float = LOOK_S) -> None:
        self._look, self._every_s = look, every_s
        self._found: Sequence[PoolStatus] = ()
        self._next_at = float("-inf")
        self._thread: threading.Thread | None = None

    def latest(self) -> Sequence[PoolStatus]:
        """What the last look has found that has ended; nothing before that. Returns at once, and begins the next."""
        found = self._found
        is_looking = self._thread is not None and self._thread.is_alive()
        if not is_looking and time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + self._every_s
            # A thread that nobody waits for, also not at the end of the process.
            self._thread = threading.Thread(target=self._note, name="pools", daemon=True)
            self._thread.start()
        return found

    def _note(self) -> None:
        self._found = self._look()
