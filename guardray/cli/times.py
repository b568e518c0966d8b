"""Times as they are given on the command line."""

from __future__ import annotations

from datetime import UTC, datetime


def utc(time: datetime) -> datetime:
    """The time in UTC; one without a zone is meant to be in it."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
