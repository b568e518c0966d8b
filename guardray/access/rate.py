"""How many requests a key may make: a bucket of tokens each, which fills by itself."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from datetime import datetime

from guardray.access import refusals


@dataclass(frozen=True)
class Rate:
    """What a key may do in this process: `per_s` requests a second for ever, and `burst` at once after a rest."""

    per_s: float = 100.0
    burst: int = 200


@dataclass
class _Bucket:
    tokens: float
    filled_at: datetime


class RateLimiter:
    """One process has one; threads may share it. It remembers no more keys than there are."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._buckets: dict[str, _Bucket] = {}
        self._lock = threading.Lock()

    def take(self, key_id: str, now: datetime) -> None:
        """Count a request of a key that is known.

        Raises:
            AccessRefusedError: it makes more than it may; the error says when the next is taken.
        """
        with self._lock:
            bucket = self._buckets.setdefault(key_id, _Bucket(self._rate.burst, now))
            elapsed = max(0.0, (now - bucket.filled_at).total_seconds())
            bucket.tokens = min(float(self._rate.burst), bucket.tokens + elapsed * self._rate.per_s)
            bucket.filled_at = now
            if bucket.tokens < 1:
                raise refusals.too_fast(math.ceil((1 - bucket.tokens) / self._rate.per_s))
            bucket.tokens -= 1
