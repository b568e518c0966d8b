"""What goes first where state takes more than it may: half of what takes most, the oldest of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Evictable:
    """A part of state that may go.

    Attributes:
        nbytes: that it takes.
        halve: lets the older half of it go, at least one; returns how many keys, rows or events, 0 where it is empty.
        is_needed: other parts are judged by it, so that it goes after them, unless most of the state is this.
    """

    nbytes: int
    halve: Callable[[], int]
    is_needed: bool = False


def evict(parts: Callable[[], Iterable[Evictable]], total: Callable[[], int], budget: int) -> int:
    """Lets parts go until all state takes no more than the budget, or nothing is left that may. Returns how much went.

    Args:
        parts: those that there are at the time.
        total: bytes that all state takes, also what may not go.
    """
    evicted = 0
    while (taken := total()) > budget:
        ordered = sorted(parts(), key=lambda part: (part.is_needed and 2 * part.nbytes < taken, -part.nbytes))
        gone = next((gone for part in ordered if (gone := part.halve())), 0)
        if not gone:
            break
        evicted += gone
    return evicted
