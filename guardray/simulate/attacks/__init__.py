"""Attacks: each is a small function that adds to an account what one finding type is there to find.

A new one is a function in the file of its family, and a line in that file's `ATTACKS`.
"""

from __future__ import annotations

from collections.abc import Sequence

from guardray.errors import UsageError
from guardray.simulate.attacks import behaviour, callers, configuration, egress, names, network, queries
from guardray.simulate.attacks.scene import Attack, Scene
from guardray.simulate.episodes import Episode
from guardray.simulate.indicators import Indicators
from guardray.simulate.period import DAY, Period
from guardray.simulate.world import Account

ATTACKS: tuple[Attack, ...] = (
    *configuration.ATTACKS,
    *callers.ATTACKS,
    *behaviour.ATTACKS,
    *network.ATTACKS,
    *names.ATTACKS,
    *queries.ATTACKS,
    *egress.ATTACKS,
)

ATTACK_TYPES: tuple[str, ...] = tuple(dict.fromkeys(attack.finding_type for attack in ATTACKS))
"""Finding types that there is an attack for."""

SHARE_IN_LATER_ACCOUNTS = 0.25


def attack_types(days: float) -> tuple[str, ...]:
    """Finding types that there is an attack for which fits into a period of so many days."""
    period = Period(0.0, days * DAY)
    return tuple(dict.fromkeys(attack.finding_type for attack in ATTACKS if attack.room(period)))


def chosen(finding_types: Sequence[str] | None, period: Period) -> tuple[Attack, ...]:
    """The attacks that raise these finding types; for None, all that fit into the period.

    Raises:
        UsageError: there is no attack for one of the types, or none that the period is long enough for.
    """
    if finding_types is None:
        return tuple(attack for attack in ATTACKS if attack.room(period))
    unknown = sorted(set(finding_types) - set(ATTACK_TYPES))
    if unknown:
        raise UsageError(
            f"no attack raises {', '.join(unknown)}; there are {len(ATTACK_TYPES)}: {', '.join(ATTACK_TYPES)}"
        )
    found = tuple(attack for attack in ATTACKS if attack.finding_type in finding_types)
    for attack in found:
        if attack.room(period) is None:
            raise UsageError(
                f"{attack.finding_type} comes after {attack.history_days} days of history, and the period has "
                f"{period.seconds / DAY:g} days: give at least {attack.history_days + 1}"
            )
    return found


def place(account: Account, attacks: Sequence[Attack], indicators: Indicators, *, every: bool) -> list[Episode]:
    """The attacks on an account: every one, or each with a fixed probability."""
    return [
        attack.build(Scene.of(account, indicators, attack, room))
        for attack in attacks
        if every or account.stream("lot", attack.finding_type, attack.title).random() < SHARE_IN_LATER_ACCOUNTS
        if (room := attack.room(account.period))
    ]


__all__ = ["ATTACKS", "ATTACK_TYPES", "Attack", "Scene", "attack_types", "chosen", "place"]
