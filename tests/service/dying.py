"""Processes that end at a chosen moment: whatever was in memory is gone, and what was written stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Killed(BaseException):
    """Nothing that the program catches: as a SIGKILL would end it."""


class Fuse:
    """Ends the process at one call of those that are counted."""

    def __init__(self, calls: int) -> None:
        self._left = calls

    def burn(self) -> None:
        """Counts a moment at which the process may end."""
        self._left -= 1
        if self._left == 0:
            raise Killed

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call, with a moment to die before it and one after it."""

        def dying(*args: Any, **kwargs: Any) -> Any:
            self.burn()
            result = call(*args, **kwargs)
            self.burn()
            return result

        return dying

    def wire(self, thing: object, *names: str) -> None:
        """Puts moments around these methods of a thing."""
        for name in names:
            setattr(thing, name, self.around(getattr(thing, name)))
