"""Lists of an epoch: an epoch that is processed again is looked at with the lists that it was first looked at with."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from guardray.context.enrich import Indicators
from guardray.intel.store import IndicatorStore


class PinnedLists:
    """Names of lists with the last epoch that was read with them.

    Args:
        lists: those that hold at the time, and those that did, for as long as they are kept.
        tell: is told why lists cannot be kept.
    """

    def __init__(self, lists: Indicators, tell: Callable[[str], None]) -> None:
        self._lists, self._tell = lists, tell
        self._last_used: dict[str, int] = {}

    def begin(self, used: Iterable[tuple[int, str]]) -> None:
        """Go on from a log: each epoch with the name of its lists, in their order."""
        self._last_used = {name: epoch for epoch, name in used}

    def use(self, epoch: int) -> str:
        """The name of the lists that hold now, which are kept from now on, since this epoch is read with them."""
        name = self._lists.name()
        is_new = name not in self._last_used
        self._last_used[name] = epoch
        if is_new:
            self._keep()
        return name

    def of(self, name: str) -> IndicatorStore:
        """The lists of that name; those that hold now instead of lists that are kept no more, which is told."""
        found = self._lists.find(name)
        if found is not None:
            return found
        self._tell(f"threat lists {name} are kept no more: what was looked at with them is, once more, with today's")
        return self._lists.current()

    def forget(self, until: int) -> None:
        """Epochs up to this one are never processed again."""
        gone = [name for name, epoch in self._last_used.items() if epoch <= until]
        for name in gone:
            del self._last_used[name]
        if gone:
            self._keep()

    def _keep(self) -> None:
        try:
            self._lists.keep(self._last_used)
        except OSError as error:
            self._tell(f"threat lists may not be kept for as long as epochs need them: {error.strerror or error}")
