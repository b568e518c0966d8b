"""A spec with one feature, and models of it that differ in their thresholds alone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from guardray.detectors.features import Feature, FeatureSpec
from guardray.models.card import Card
from guardray.models.family import AccountModel, Family
from guardray.models.fitted import Fitted
from guardray.models.registry import Registry
from guardray.models.robust import Robust
from tests.new_calls import CALLS, WHOSE

ACCOUNT = "111122223333"
SPEC = FeatureSpec(
    name="calls",
    activity=CALLS,
    candidates=pl.lit(True),
    whose=WHOSE,
    features=(Feature("calls", pl.col("calls"), "calls", "many calls"),),
)
ROWS = pl.DataFrame(
    {"cloud_account_uid": [ACCOUNT] * 3, "actor_user_uid_alt": ["A", "B", "C"], "calls": [1.0, 5.0, 500.0]}
)


def add_model(
    folder: Path,
    version: str,
    threshold: float,
    *,
    spec: FeatureSpec = SPEC,
    definition: str | None = None,
    until: str = "2026-02-05",
) -> Registry:
    """A registry with one version more, which says of all accounts that each feature is mostly between 0 and 10."""
    definition = definition or spec.definition
    usual = np.linspace(0, 10, 200)
    fitted = Fitted.of(Robust(), np.tile(usual[:, None], len(spec.names)))
    family = Family(spec.name, definition, spec.names, fitted, {}, AccountModel(None, 0.0, threshold, 0, 0))
    card = Card(
        family=spec.name,
        version=version,
        model="robust",
        definition=definition,
        features=spec.names,
        since="2026-01-05",
        until=until,
        accounts=1,
        rows=200,
        days=31,
        left_out=0,
        budget=1.0,
        back_test=None,
        archive="",
        code="test",
    )
    registry = Registry(folder)
    registry.add(family, card)
    return registry


def promote(registry: Registry, version: str, spec: FeatureSpec = SPEC) -> None:
    """Put a version in force."""
    registry.promote(spec.name, version, at=datetime(2026, 2, 6, tzinfo=UTC), by="tests")
