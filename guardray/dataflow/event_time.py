"""Event time as the operators count it: microseconds since 1970, and what lies beyond all events."""

from __future__ import annotations

from datetime import datetime

END_OF_TIME = 2**63 - 1
"""The watermark after which nothing more can come: the greatest int64."""

BEGINNING_OF_TIME = -END_OF_TIME
"""The watermark before which nothing is known."""


def microseconds(time: datetime) -> int:
    """Microseconds since 1970 of an aware datetime."""
    return round(time.timestamp() * 1_000_000)
