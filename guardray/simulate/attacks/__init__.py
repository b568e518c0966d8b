"""Attacks."""

from __future__ import annotations

from collections.abc import Sequence

from guardray.simulate.episodes import Episode
from guardray.simulate.indicators import Indicators
from guardray.simulate.world import Account

ATTACK_TYPES: tuple[str, ...] = ()


def chosen(attacks: Sequence[str] | None) -> tuple[str, ...]:
    return ()


def place(account: Account, chosen: tuple[str, ...], indicators: Indicators, *, every: bool) -> list[Episode]:
    return []
