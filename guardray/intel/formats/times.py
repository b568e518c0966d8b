"""Times as lists write them."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl


def times(texts: pl.Series) -> pl.Series:
    """Datetime("us", "UTC") [n] of dates and times in ISO 8601, in UTC where they have no offset; null for others."""
    return pl.Series(texts.name, [_time(text) for text in texts.to_list()], dtype=pl.Datetime("us", "UTC"))


def _time(text: str | None) -> datetime | None:
    try:
        time = datetime.fromisoformat((text or "").strip().removesuffix(" UTC"))
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
