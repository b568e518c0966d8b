"""Event time as the operators count it: microseconds since 1970, and what lies beyond all events."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

END_OF_TIME = 2**63 - 1
"""The watermark after which nothing more can come: the greatest int64."""

BEGINNING_OF_TIME = -END_OF_TIME
"""The watermark before which nothing is known."""


def microseconds(time: datetime) -> int:
    """Microseconds since 1970 of an aware datetime."""
    return round(time.timestamp() * 1_000_000)


def microseconds_of(times: pl.Series) -> np.ndarray:
    """A column of times in microseconds since 1970: int64 [n]."""
    return times.to_physical().to_numpy()
