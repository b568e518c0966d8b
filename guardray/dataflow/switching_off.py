"""Detectors that fail where their state is kept: each is switched off with one message, and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from polars.exceptions import PanicException

from guardray.errors import DetectorError

T = TypeVar("T")


class Fuses:
    """One for each detector, by its finding type, and for each activity, by its name.

    What a detector fails on comes again: after a restart the same rows are read once more. So it would end a shard
    again and again, and whoever can write such a row could end all that is found.

    Args:
        let_go: is given who failed, and forgets what was kept for it.

    Attributes:
        blown: who is switched off, and why.
    """

    def __init__(self, let_go: Callable[[str], None]) -> None:
        self._let_go = let_go
        self.blown: dict[str, DetectorError] = {}

    def holds(self, name: str) -> bool:
        """Whether it is still switched on."""
        return name not in self.blown

    def whole(self, things: Mapping[str, T]) -> Iterator[tuple[str, T]]:
        """What belongs to those that are still switched on, by their names."""
        return ((name, thing) for name, thing in list(things.items()) if self.holds(name))

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Work for one of them, which ends there if it raises. Too little memory is no fault of the detector."""
        try:
            yield
        except MemoryError:
            raise
        except (Exception, PanicException) as error:  # whatever its expressions or code raise
            reason = str(error).partition("\n")[0]
            self.blown[name] = DetectorError(
                name, f"is switched off, since it failed: {type(error).__name__}: {reason}"
            )
            self._let_go(name)
