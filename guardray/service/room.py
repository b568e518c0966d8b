"""What the state of a shard may take, by its own count and by what its process takes in fact."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import pyarrow as pa

UNBOUNDED = 1 << 62
"""More than any state takes."""

_WORTH = 0.5
"""Of what a process takes too much: where the state is less than this share of it, it cannot be what takes so much."""


@dataclass(frozen=True)
class Room:
    """Limits in bytes.

    Attributes:
        state: of the state, as it is counted.
        process: of the memory that the process of a shard takes.
    """

    state: int = UNBOUNDED
    process: int = UNBOUNDED

    def shared_by(self, shards: int) -> Room:
        """The same for one of so many shards, each in a process of its own."""
        return replace(self, state=self.state // shards)


class Evictable(Protocol):
    """State that the oldest of can go."""

    def state_bytes(self) -> int:
        """That it takes, by its own count."""

    def evict(self, budget: int) -> int:
        """Let go until it takes no more than this. Returns how much went."""


class RoomKeeper:
    """Keeps one shard within its room.

    Args:
        resident: bytes that the process takes.
        let_go: gives back to the system what is free in the process.
    """

    def __init__(
        self,
        room: Room,
        resident: Callable[[], int] | None = None,
        let_go: Callable[[], None] | None = None,
    ) -> None:
        self.room = room
        self._resident = resident or resident_bytes
        self._let_go = let_go or give_back
        self.resident = 0
        """That the process took in the end, where that is bounded."""
        self.excess: str | None = None
        """Why the process takes more than it may, where the state is not what takes it; None: it does not."""

    def keep(self, state: Evictable) -> int:
        """Make room where there is too little. Returns how much of the state went.

        Before a process is ended for what it takes, with all its state, the oldest of the state goes.
        """
        evicted = state.evict(self.room.state)
        self.excess = None
        over = self._over()
        if over <= 0:
            return evicted
        self._let_go()  # what was freed lately is not given back by itself
        if (over := self._over()) <= 0:
            return evicted
        held = state.state_bytes()
        if held < _WORTH * over:
            self.excess = (
                f"a shard's process takes more than its {self.room.process >> 20:,} MB, and its state is not what"
                " takes it: set memory.shard_mb higher"
            )
            return evicted
        evicted += state.evict(max(held - over, held // 2))
        self._let_go()
        self._over()
        return evicted

    def _over(self) -> int:
        self.resident = self._resident()
        return self.resident - self.room.process


def resident_bytes() -> int:
    """What this process takes of the machine's memory, without what it shares with others, such as Ray's store."""
    _, resident, shared, *_ = Path("/proc/self/statm").read_text().split()
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")


def give_back() -> None:
    """Give free memory of this process back to the system, as far as the allocators know how."""
    pa.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError):  # another C library than glibc
        ctypes.CDLL(None).malloc_trim(0)
