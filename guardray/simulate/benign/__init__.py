"""Hard negatives: harmless activity that looks like an attack."""

from __future__ import annotations

from guardray.simulate.episodes import Episode
from guardray.simulate.indicators import Indicators
from guardray.simulate.world import Account


def place(account: Account, indicators: Indicators) -> list[Episode]:
    return []
