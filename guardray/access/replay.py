"""Requests that came before: a signature is good for one request.

A signature says when it was made to the second, so a client that asks the same twice in a second sends the same
signature twice, and is no attacker. AWS's clients tell such calls apart by a header that they do not sign. So a request
that only reads may come again within moments when that header names another call or attempt; the very same request may
not, and one that changes something is taken once, whatever the header says.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from guardray.access import refusals

REPEAT_WITHIN = timedelta(seconds=2)
"""A client repeats a signature within the second in which it was made; the rest is for the way here."""

CALLS_MAX = 64
"""Calls of one signature. A client does not make more of the same in a second."""

CAPACITY = 200_000
"""Signatures that are remembered, in some 100 MB: 300 requests a second for the ten minutes that one may last."""

_BUCKET_S = 60


@dataclass(slots=True)
class _Seen:
    first: datetime
    calls: tuple[int, ...]  # hashes of them


class ReplayGuard:
    """Remembers signatures until they are refused for their age. One process has one; threads may share it."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._buckets: dict[int, dict[str, _Seen]] = {}  # by the minute in which the signatures expire
        self._lock = threading.Lock()

    def admit(self, signature: str, call: str, *, is_change: bool, expires: datetime, now: datetime) -> None:
        """Take a verified signature, or refuse it since it was here before.

        Args:
            call: what the client says of the call, without having signed it.
            expires: when the request is too old to be taken anyway.

        Raises:
            AccessRefusedError: it was here before; or so many others were that it cannot be remembered.
        """
        with self._lock:
            self._forget_old(now)
            bucket = self._buckets.setdefault(_bucket(expires), {})
            seen = bucket.get(signature)
            if seen is None:
                if sum(map(len, self._buckets.values())) >= self._capacity:
                    raise refusals.too_fast(_BUCKET_S)
                bucket[signature] = _Seen(now, (hash(call),))
                return
            is_repeat = hash(call) in seen.calls or len(seen.calls) >= CALLS_MAX or now - seen.first > REPEAT_WITHIN
            if is_change or is_repeat:
                raise refusals.bad_signature("The signature was used before: sign each request anew.")
            seen.calls += (hash(call),)

    def forget(self, signature: str, expires: datetime) -> None:
        """Let a request come again: it was not carried out."""
        with self._lock:
            self._buckets.get(_bucket(expires), {}).pop(signature, None)

    def _forget_old(self, now: datetime) -> None:
        for minute in [minute for minute in self._buckets if minute < _bucket(now)]:
            del self._buckets[minute]


def _bucket(time: datetime) -> int:
    return int(time.timestamp()) // _BUCKET_S
