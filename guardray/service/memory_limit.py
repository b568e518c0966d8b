"""What a process that holds no state may take: past it, another takes its place, before the system ends it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from guardray.errors import OutgrownError
from guardray.service.room import UNBOUNDED, give_back, resident_bytes

OTHER = "memory.other_mb"
"""The setting for all processes but shards and ingest workers."""

YOUNG_S = 600.0
"""A process that takes too much within ten minutes of its start needs that much: another would be no help."""

LOOK_S = 10.0
"""Between looks: giving memory back costs some milliseconds, and what grows takes minutes."""


class MemoryLimit:
    """Of the process that makes it.

    Args:
        most: bytes that it may take.
        setting: which says so, for whoever has to set it higher.
        youth_s: for so long after its start it is no help to put another in its place.
        resident: bytes that the process takes.
        let_go: gives back to the system what is free in the process.
        clock: seconds, steadily.
    """

    def __init__(
        self,
        most: int = UNBOUNDED,
        setting: str = OTHER,
        *,
        youth_s: float = YOUNG_S,
        resident: Callable[[], int] = resident_bytes,
        let_go: Callable[[], None] = give_back,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._setting, self._youth_s = most, setting, youth_s
        self._resident, self._let_go, self._clock = resident, let_go, clock
        self._began = clock()
        self._looked = float("-inf")
        self._is_over = False

    @classmethod
    def of_mb(cls, megabytes: int, setting: str = OTHER, *, youth_s: float = YOUNG_S) -> MemoryLimit:
        """A limit as a configuration has it."""
        return cls(megabytes << 20, setting, youth_s=youth_s)

    @property
    def is_outgrown(self) -> bool:
        """Whether the process has grown beyond its limit, so that another should take its place."""
        return self._look() and not self._is_young

    @property
    def excess(self) -> str | None:
        """What to tell of a process that takes too much from its start on; None: it does not."""
        if not self._look() or not self._is_young:
            return None
        return f"a process takes more than its {self._most >> 20:,} MB soon after its start: set {self._setting} higher"

    @property
    def _is_young(self) -> bool:
        return self._clock() - self._began < self._youth_s

    def _look(self) -> bool:
        """Whether it takes too much, also after what is free was given back."""
        if self._clock() - self._looked >= LOOK_S:
            self._looked = self._clock()
            self._is_over = self._resident() > self._most
            if self._is_over:
                self._let_go()
                self._is_over = self._resident() > self._most
        return self._is_over


def check_memory(limit: MemoryLimit) -> None:
    """Raises OutgrownError where this process has outgrown its limit."""
    if limit.is_outgrown:
        raise OutgrownError("the process takes too much memory, and another takes its place")


def watch(limit: MemoryLimit, end: Callable[[], object]) -> None:
    """Calls `end` once the process has outgrown its limit. Looks in a thread that ends with the process."""

    def look() -> None:
        while not limit.is_outgrown:
            time.sleep(LOOK_S)
        end()

    threading.Thread(target=look, name="memory", daemon=True).start()
