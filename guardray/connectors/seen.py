"""Which objects below a prefix are done: all before a day, and eight bytes for each one since."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import date
from hashlib import blake2b
from typing import Any

import numpy as np

_LITTLE_ENDIAN = np.dtype("<u8")


def digest_of(key: str, etag: str) -> int:
    """What an object is known by: 64 bits of its key and content. Of a million, two agree once in 40 million times."""
    named = f"{key}\0{etag}".encode(errors="surrogatepass")
    return int.from_bytes(blake2b(named, digest_size=8).digest(), "little")


class SeenObjects:
    """Digests of objects that are done, by the day of each.

    Args:
        floor: what is older than this day counts as done; None counts nothing.
    """

    def __init__(self, floor: date | None = None) -> None:
        self.floor = floor
        self._days: dict[date, set[int]] = {}
        self._encoded: dict[date, str] = {}
        """Days do not change once they are over, and a position is asked for at every checkpoint."""

    def __len__(self) -> int:
        return sum(map(len, self._days.values()))

    def has(self, day: date, digest: int) -> bool:
        """Whether an object is done."""
        return (self.floor is not None and day < self.floor) or digest in self._days.get(day, ())

    def add(self, day: date, digest: int) -> None:
        """Note that an object is done."""
        if self.floor is None or day >= self.floor:
            self._days.setdefault(day, set()).add(digest)
            self._encoded.pop(day, None)

    def raise_floor(self, floor: date) -> None:
        """Count all before this day as done, and forget them one by one. A floor is never lowered."""
        if self.floor is None or floor > self.floor:
            self.floor = floor
            for day in [day for day in self._days if day < floor]:
                del self._days[day]
                self._encoded.pop(day, None)

    def to_json(self, done: Iterable[tuple[date, int]] = ()) -> dict[str, Any]:
        """As plain JSON, with these days and digests as well."""
        more: dict[date, set[int]] = {}
        for day, digest in done:
            more.setdefault(day, set()).add(digest)
        days = {day.isoformat(): self._text(day, more.get(day)) for day in sorted(self._days.keys() | more.keys())}
        return {"floor": self.floor.isoformat() if self.floor else None, "days": days}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> SeenObjects:
        """What `to_json` gave."""
        seen = cls(date.fromisoformat(kept["floor"]) if kept["floor"] else None)
        for day, text in kept["days"].items():
            digests = np.frombuffer(base64.b64decode(text), _LITTLE_ENDIAN)
            seen._days[date.fromisoformat(day)] = set(digests.tolist())
        return seen

    def _text(self, day: date, more: set[int] | None) -> str:
        if more:
            return _encoded(self._days.get(day, set()) | more)
        if day not in self._encoded:
            self._encoded[day] = _encoded(self._days[day])
        return self._encoded[day]


def _encoded(digests: set[int]) -> str:
    return base64.b64encode(np.sort(np.fromiter(digests, _LITTLE_ENDIAN, len(digests))).tobytes()).decode()
