"""Whether a version in force tells of far more than it was allowed to."""

from __future__ import annotations

import math
from datetime import datetime

from guardray.models.promotions import Promotion, Promotions
from guardray.models.registry import Registry
from guardray.models.training import TRAINER

LEAST_FINDINGS = 5
"""Fewer findings are no surge, however improbable: they may be one attack."""

CHANCE = 1e-4
"""Probability of as many findings, were twice the budget the rule, below which there is a surge."""

TOLERANCE = 2.0
"""Of the budget: so much is expected where an account changes."""


def is_surge(findings: int, *, accounts: int, days: float, budget: float) -> bool:
    """Whether so many findings are beyond chance.

    Args:
        findings: since the version is in force, without those that were useful, one for each principal and day.
        accounts, days: over which they were counted.
        budget: of one account and week, as the card says.
    """
    expected = TOLERANCE * budget * accounts * days / 7
    return findings >= LEAST_FINDINGS and findings > expected and _at_least(findings, expected) < CHANCE


def _at_least(many: int, expected: float) -> float:
    """Probability of so many or more events, of which so many are expected, by Poisson's distribution."""
    if expected <= 0:
        return 0.0
    below = sum(math.exp(n * math.log(expected) - expected - math.lgamma(n + 1)) for n in range(many))
    return max(1.0 - below, 0.0)


def roll_back_on_surge(
    registry: Registry, family: str, findings: int, *, accounts: int, days: float, at: datetime
) -> Promotion | None:
    """Put the version before in force where there is a surge; None: there is none, or no version before.

    A version that a person has put back, after it had been taken away so, stays.

    Args:
        findings, accounts, days: as `is_surge` takes them.

    Raises:
        ModelError: the version before cannot be loaded; what is in force stays.
    """
    promotions = registry.promotions()
    version = promotions.in_force.get(family)
    if version is None or promotions.before(family) is None or _is_put_back(promotions, family, version):
        return None
    budget = registry.card(family, version).budget
    if not is_surge(findings, accounts=accounts, days=days, budget=budget):
        return None
    reason = f"{findings} findings in {days:g} days of {accounts} accounts, where {budget:.2f} a week are allowed"
    return registry.roll_back(family, at=at, by=TRAINER, reason=reason)


def _is_put_back(promotions: Promotions, family: str, version: str) -> bool:
    of = [one for one in promotions.history if one.family == family]
    was_taken_away = any(one.before == version and one.by == TRAINER for one in of)
    return was_taken_away and of[-1].by != TRAINER
