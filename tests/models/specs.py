"""A spec of a few features, and rows as it measures them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl

from guardray.detectors.activity import Activity
from guardray.detectors.features import Feature, FeatureSpec
from guardray.schema import api_activity
from guardray.stats.measures import Count

NAMES = ("country", "operation", "calls", "hour")

ACTIVITY = Activity(
    name="tried calls",
    schema=api_activity.SCHEMA,
    where=pl.lit(True),
    owner=("cloud_account_uid",),
    group=("cloud_account_uid", "actor_principal"),
    measures={"calls": Count()},
)

SPEC = FeatureSpec(
    name="tried-calls",
    activity=ACTIVITY,
    candidates=pl.lit(True),
    whose=("cloud_account_uid", "actor_principal"),
    features=tuple(
        Feature(name, pl.col(name), "bits", f"an unusual {name}", most=None if name == "calls" else 20.0)
        for name in NAMES
    ),
)

ACCOUNT, OTHER = "111122223333", "444455556666"

FIRST = date(2026, 3, 2)


def usual_features(rng: np.random.Generator, rows: int) -> np.ndarray:
    """Features as days without attacks have them: mostly nothing, now and then a little."""
    told = rng.random((rows, len(NAMES))) < 0.3
    return np.where(told, rng.exponential(1.0, (rows, len(NAMES))), 0.0)


def measured(features: np.ndarray, day: date, account: str = ACCOUNT, who: str = "alice", first: int = 0):
    """Rows of one principal and day."""
    rows = len(features)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return pl.DataFrame(
        {
            "cloud_account_uid": pl.Series([account] * rows, dtype=pl.String),
            "actor_principal": pl.Series([who] * rows, dtype=pl.String),
            "window_start": pl.Series([midnight] * rows, dtype=pl.Datetime("us", "UTC")),
            "digest": pl.Series(np.arange(rows) + first + 1000 * day.toordinal(), dtype=pl.UInt64),
            "flagged": pl.Series([False] * rows, dtype=pl.Boolean),
            **dict(zip(NAMES, features.T, strict=True)),
        }
    )


def filled(archive, days: int = 28, accounts: tuple[str, ...] = (ACCOUNT, OTHER), rows: int = 8, seed: int = 0):
    """An archive of that many days in which nothing happened; the last day."""
    rng = np.random.default_rng(seed)
    for at in range(days):
        day = FIRST + timedelta(days=at)
        for account in accounts:
            for who in ("alice", "bob"):
                archive.add(SPEC, measured(usual_features(rng, rows), day, account, who))
    return FIRST + timedelta(days=days - 1)
