"""When to train again: there is no model yet, it is old, or an account is no longer what it learned."""

from __future__ import annotations

from datetime import date, timedelta

from guardray.detectors.features import FeatureSpec
from guardray.errors import ModelError
from guardray.models.archive import Archive
from guardray.models.drift import drift
from guardray.models.registry import Registry

EVERY_DAYS = 7
"""Days after which a version is renewed, drifted or not."""

RECENT_DAYS = 7
"""Days that are compared with what was learned."""


def due(archive: Archive, registry: Registry, spec: FeatureSpec, today: date) -> str | None:
    """Why a spec's models should be trained again; None: they need not be.

    Args:
        today: the latest day that is over.
    """
    try:
        version = registry.promotions().in_force.get(spec.name)
        if version is None:
            return "no version is in force"
        card = registry.card(spec.name, version)
        family = registry.load(spec.name, version)
    except ModelError as error:
        return f"the version in force cannot be used: {error}"
    if card.definition != spec.definition:
        return "the features are measured in another way than the version in force learned"
    until = date.fromisoformat(card.until)
    if (today - until).days >= EVERY_DAYS:
        return f"it learned up to {until} only"
    learned = archive.read(spec, since=date.fromisoformat(card.since), until=until)
    recent = archive.read(spec, since=max(today - timedelta(days=RECENT_DAYS - 1), until + timedelta(days=1)))
    drifted = [one for one in drift(family, spec, learned, recent) if one.is_drifted]
    if not drifted:
        return None
    worst = max(drifted, key=lambda one: one.worst[1])
    feature, index = worst.worst
    return f"account {worst.account} has drifted: {feature} has a stability index of {index:.2f}"
