"""How much a service does at once, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from guardray.checkpoints.checkpoints import KEPT


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How much at once, and how often.

    Attributes:
        max_objects: of an epoch.
        max_bytes: of an epoch's objects, as they lie there: some seconds of work.
        checkpoint_every: time between checkpoints: so much is processed once more after a loss.
        checkpoints_kept: how many of them.
        quiet_epoch: without any input, event time goes on in steps of this.
        remembered: how long a copy of an object is known for one.
    """

    max_objects: int = 500
    max_bytes: int = 32 << 20
    checkpoint_every: timedelta = timedelta(seconds=30)
    checkpoints_kept: int = KEPT
    quiet_epoch: timedelta = timedelta(minutes=1)
    remembered: timedelta = timedelta(days=8)
