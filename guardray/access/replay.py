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

CAPACITY = 1_000_000
"""Signatures that are remembered, in some 100 MB: 1,600 requests a second for the ten minutes that one may last."""

_BUCKET_S = 60


@dataclass(slots=True)
class _Recent:
    first: datetime
    calls: set[int]  # hashes of them


class ReplayGuard:
    """Remembers signatures until they are refused for their age. One process has one; threads may share it."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._buckets: dict[int, set[int]] = {}  # signatures by the minute in which they expire
        self._recent: dict[int, _Recent] = {}  # reads of the last moments, the earliest first
        self._lock = threading.Lock()

    def admit(self, signature: str, call: str, *, is_change: bool, expires: datetime, now: datetime) -> None:
        """Take a verified signature, or refuse it since it was here before.

        Args:
            call: what the client says of the call, without having signed it.
            expires: when the request is too old to be taken anyway.

        Raises:
            AccessRefusedError: it was here before; or so many others were that it cannot be remembered.
        """
        number = _number(signature)
        with self._lock:
            self._forget_old(now)
            bucket = self._buckets.setdefault(_bucket(expires), set())
            if number in bucket:
                self._repeat(number, call)
                return
            if sum(map(len, self._buckets.values())) >= self._capacity:
                raise refusals.too_fast(_BUCKET_S)
            bucket.add(number)
            if not is_change:
                self._recent[number] = _Recent(now, {hash(call)})

    def forget(self, signature: str, expires: datetime) -> None:
        """Let a request come again: it was not carried out."""
        number = _number(signature)
        with self._lock:
            self._buckets.get(_bucket(expires), set()).discard(number)
            self._recent.pop(number, None)

    def _repeat(self, number: int, call: str) -> None:
        recent = self._recent.get(number)
        if recent is None or hash(call) in recent.calls or len(recent.calls) >= CALLS_MAX:
            raise refusals.bad_signature("The signature was used before: sign each request anew.")
        recent.calls.add(hash(call))

    def _forget_old(self, now: datetime) -> None:
        for minute in [minute for minute in self._buckets if minute < _bucket(now)]:
            del self._buckets[minute]
        while self._recent:
            number, recent = next(iter(self._recent.items()))
            if timedelta(0) <= now - recent.first <= REPEAT_WITHIN:
                break
            del self._recent[number]


def _number(signature: str) -> int:
    # 60 bits of an HMAC, which nobody can choose, and of which Python makes a small number.
    return int(signature[:15], 16)


def _bucket(time: datetime) -> int:
    return int(time.timestamp()) // _BUCKET_S
