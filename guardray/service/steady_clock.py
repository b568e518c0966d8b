"""The time of day as a service goes by it: a clock that leaps ahead is not believed at once.

Event time follows the time of day where nothing comes. So a clock that is set wrong for a minute, a year ahead, would
have made all that comes from then on late, for a year.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from guardray.connectors.source import Clock

LEAP = timedelta(minutes=10)
"""Further ahead than a clock is set in good order, also after some hours without its time server."""

BELIEVED = timedelta(minutes=30)
"""After which a leap is believed: the machine has slept, or somebody meant it."""


class SteadyClock:
    """Tells the time of day.

    Args:
        clock: on the wall.
        tell: is told of a leap.
        steady: seconds of a clock that nobody sets.
    """

    def __init__(self, clock: Clock, tell: Callable[[str], None], steady: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._tell, self._steady = clock, tell, steady
        self._known: tuple[datetime, float] | None = None
        self._leapt_at: float | None = None

    def __call__(self) -> datetime:
        wall, at = self._clock(), self._steady()
        now = self._believed(wall, at)
        self._known = now, at
        return now

    def heard(self, said: datetime) -> None:
        """Something from elsewhere was dated so: it is no earlier than that, where the clock on the wall agrees."""
        if self._known is not None and self._leapt_at is not None:
            known, at = self._known
            self._known = max(known, min(said, self._clock())), at

    def _believed(self, wall: datetime, at: float) -> datetime:
        if self._known is None:
            return wall
        known, since = self._known
        expected = known + timedelta(seconds=at - since)
        if wall - expected < LEAP:
            self._leapt_at = None
            return wall
        if self._leapt_at is None:
            self._leapt_at = at
            self._tell(
                f"the clock has leapt ahead by {wall - expected}, to {wall:%Y-%m-%d %H:%M:%S}Z: that is believed in"
                f" {BELIEVED.seconds // 60} minutes, or when logs are dated so"
            )
        if at - self._leapt_at >= BELIEVED.total_seconds():
            self._leapt_at = None
            return wall
        return expected
