"""Hard negatives: harmless activity that looks like an attack. Each account has all of them."""

from __future__ import annotations

from guardray.simulate.benign import administration, behaviour, egress, names, traffic
from guardray.simulate.benign.occasion import HardNegative, Occasion
from guardray.simulate.episodes import Episode
from guardray.simulate.indicators import Indicators
from guardray.simulate.period import DAY, SHORTEST_DAYS
from guardray.simulate.world import Account

HARD_NEGATIVES: tuple[HardNegative, ...] = (
    *administration.HARD_NEGATIVES,
    *behaviour.HARD_NEGATIVES,
    *traffic.HARD_NEGATIVES,
    *egress.HARD_NEGATIVES,
    *names.HARD_NEGATIVES,
)


def place(account: Account, indicators: Indicators) -> list[Episode]:
    """All hard negatives of an account, the daily ones on every day that is long enough."""
    whole = [account.period]
    days = [day for day in account.period.pieces(DAY) if day.seconds >= SHORTEST_DAYS * DAY]
    return [
        what.build(Occasion(account, indicators, what.title, piece, what))
        for what in HARD_NEGATIVES
        for piece in (days if what.daily else whole)
    ]


__all__ = ["HARD_NEGATIVES", "HardNegative", "Occasion", "place"]
