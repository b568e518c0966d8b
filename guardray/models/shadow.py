"""A candidate beside the version in force: what it would tell of that the other does not, and the other way round."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from guardray.detectors.features import FeatureSpec
from guardray.models.archive import Archive
from guardray.models.back_test import would_find
from guardray.models.card import Card
from guardray.models.family import Family
from guardray.models.registry import Registry

APPEARS, VANISHES, STAYS = "appears", "vanishes", "stays"
_OF_MANY = {APPEARS: "appear", VANISHES: "vanish", STAYS: "stay"}


def differences(live: Family, candidate: Family, spec: FeatureSpec, rows: pl.DataFrame) -> pl.DataFrame:
    """The principals' days that either would tell of.

    Args:
        rows: of the archive.

    Returns:
        `account`, `whose`, `day`, `live` and `candidate` (the highest anomaly, null below 1) and `change`: whether a
        finding appears with the candidate, vanishes, or stays. In the order of accounts, days and who acts.
    """
    keys = ["account", "whose", "day"]
    before = would_find(live, spec, rows).rename({"anomaly": "live"})
    after = would_find(candidate, spec, rows).rename({"anomaly": "candidate"})
    both = before.join(after, on=keys, how="full", coalesce=True)
    return both.with_columns(_change("live", "candidate")).sort("account", "day", "whose")


def _change(live: str, candidate: str) -> pl.Expr:
    return (
        pl.when(pl.col(live).is_null())
        .then(pl.lit(APPEARS))
        .when(pl.col(candidate).is_null())
        .then(pl.lit(VANISHES))
        .otherwise(pl.lit(STAYS))
        .alias("change")
    )


@dataclass(frozen=True)
class Shadow:
    """A version that waits, beside the one in force, on the days since both learned.

    Attributes:
        live, candidate: the versions.
        since, until: first and last of these days.
        changes: what `differences` gives.
    """

    live: str
    candidate: str
    since: date
    until: date
    changes: pl.DataFrame

    def __str__(self) -> str:
        return f"{self.candidate} waits beside {self.live}: from {self.since} to {self.until}, {told(self.changes)}"


def told(changes: pl.DataFrame) -> str:
    """How many principals' days appear, vanish and stay, in words."""
    counts = {change: int((changes["change"] == change).sum()) for change in _OF_MANY}
    return ", ".join(f"{many:,} {change if many == 1 else _OF_MANY[change]}" for change, many in counts.items())


def shadow(registry: Registry, archive: Archive, spec: FeatureSpec) -> Shadow | None:
    """The latest version that waits for a person, beside the one in force.

    Every row that models see on a day is in the archive when the day is over, so that days are compared whole, whatever
    was restarted meanwhile. Nothing changes by it.

    Returns:
        None where no version waits, none is in force, or there has been no day since.

    Raises:
        ModelError: one of both cannot be loaded.
    """
    history = [one for one in registry.promotions().history if one.family == spec.name]
    candidate = _waiting(registry, spec, {one.version for one in history})
    days = archive.days(spec)
    if candidate is None or not history or not days:
        return None
    live = registry.card(spec.name, history[-1].version)
    since = max(date.fromisoformat(card.until) for card in (live, candidate)) + timedelta(days=1)
    if live.definition != spec.definition or live.until > candidate.until or since > days[-1]:
        return None
    rows = archive.read(spec, since=since)
    before, after = (registry.load(spec.name, card.version) for card in (live, candidate))
    return Shadow(live.version, candidate.version, since, days[-1], differences(before, after, spec, rows))


def _waiting(registry: Registry, spec: FeatureSpec, were_in_force: Collection[str]) -> Card | None:
    """The card of the version that learned last, of those that were never in force."""
    cards = [card for card in registry.cards(spec.name)[0] if card.definition == spec.definition]
    waiting = [card for card in cards if card.version not in were_in_force]
    return max(waiting, key=lambda card: (card.until, card.version), default=None)
