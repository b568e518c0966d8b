"""When to try again, and when to give up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from guardray.publish.destination import Destination
from guardray.publish.sending import Failure
from guardray.store.outbox import Delivery

Uniform = Callable[[float, float], float]
"""A random number between two, such as `random.uniform`."""

BASE_S = 1.0
MOST_S = 600.0
PAUSE_MOST_S = 60.0
"""A destination at which all fails is left alone no longer than this, so that it is back soon after it is mended."""

RETRY_AFTER_MOST = timedelta(hours=1)
"""What a server may ask for at most."""


def backoff_s(failures: int, uniform: Uniform, most_s: float = MOST_S) -> float:
    """How long to wait after so many failures in a row (1 or more): anything up to twice the last bound.

    Source: Exponential Backoff And Jitter, AWS Architecture Blog, 2015: full jitter.
    """
    return uniform(0.0, min(most_s, BASE_S * 2.0 ** min(failures, 32)))


def retry_at(
    delivery: Delivery, failure: Failure, destination: Destination, now: datetime, uniform: Uniform
) -> datetime | None:
    """When a delivery that failed just now is tried again; None where it is given up."""
    failing_for = now - (delivery.failing_since or now)
    attempts = delivery.attempts + 1
    if failure.is_final or attempts >= destination.attempts or failing_for >= destination.max_age:
        return None
    return now + asked_for(failure) + timedelta(seconds=backoff_s(attempts, uniform))


def asked_for(failure: Failure) -> timedelta:
    """How long the receiver asked to be left alone, within bounds."""
    return min(failure.retry_after or timedelta(), RETRY_AFTER_MOST)
