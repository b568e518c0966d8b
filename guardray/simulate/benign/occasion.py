"""How a hard negative is declared and labelled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from guardray.simulate.episodes import Episode
from guardray.simulate.labels import Label
from guardray.simulate.stage import Stage


@dataclass(frozen=True)
class HardNegative:
    """Something harmless that may look like `tempts`. It happens once in the period, or once a day."""

    title: str
    tempts: tuple[str, ...]
    build: Callable[[Occasion], Episode]
    daily: bool = False


@dataclass(frozen=True)
class Occasion(Stage):
    """A hard negative when it happens."""

    what: HardNegative

    def label(
        self, start: float, end: float, *, actor: str = "", entity: tuple[str, ...] = (), tempts: tuple[str, ...] = ()
    ) -> Label:
        """A row of it."""
        return Label(
            account=self.account.id,
            start=start,
            end=end,
            technique=self.what.title,
            tempts=tempts or self.what.tempts,
            actor=actor,
            entity=entity,
        )
