"""What every kind of destination offers the publisher."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from guardray.store.outbox import Delivery


@dataclass(frozen=True)
class Failure:
    """Why a delivery did not arrive, in words without secrets.

    Attributes:
        retry_after: how long the receiver asked to be left alone.
        is_final: whether trying again cannot help.
    """

    reason: str
    retry_after: timedelta | None = None
    is_final: bool = False


Outcome = tuple[Delivery, Failure | None]
"""A delivery that was tried, and why it failed; null where it arrived."""


class Sender(Protocol):
    """Sends to one destination. It waits no longer than its own time limits, and keeps nothing between calls.

    Attributes:
        batch: how many deliveries it wants at once.
    """

    batch: int

    def send(self, deliveries: Sequence[Delivery], now: datetime) -> Iterator[Outcome]:
        """Send deliveries, and tell of each when it is known: whoever asks no further sends no more."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
