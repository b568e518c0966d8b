"""Times as they are given on the command line."""

from __future__ import annotations

from datetime import UTC, datetime

from guardray.errors import UsageError

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""No log holds times outside: they are taken for damage where they are read."""


def utc(time: datetime) -> datetime:
    """The time in UTC; one without a zone is meant to be in it.

    Raises:
        UsageError: it is so far away that it cannot be meant.
    """
    aware = time if time.tzinfo is not None else time.replace(tzinfo=UTC)
    if not FIRST <= aware <= LAST:
        raise UsageError(f"{time.isoformat()} is not between {FIRST:%Y} and {LAST:%Y}")
    return aware.astimezone(UTC)
