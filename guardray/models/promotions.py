"""Which versions of models are in force, and which were before: the content of `promoted.json`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from guardray.errors import ModelError

HISTORY = 200
"""Promotions that are remembered; the oldest are let go."""


class Promotion(msgspec.Struct, frozen=True, kw_only=True):
    """One change of what is in force.

    Attributes:
        before: the version that it took the place of; None: there was none.
        at: when, in UTC, as an ISO time.
        by: who: a user of the machine, a role of the API, or the trainer.
    """

    family: str
    version: str
    before: str | None
    at: str
    by: str
    reason: str


class _Sealed(msgspec.Struct):
    history: tuple[Promotion, ...]
    sha256: str


@dataclass
class Promotions:
    """All promotions, the oldest first."""

    history: list[Promotion] = field(default_factory=list)

    @property
    def in_force(self) -> dict[str, str]:
        """The version in force, by family."""
        return {one.family: one.version for one in self.history}

    def before(self, family: str) -> str | None:
        """The version that a roll-back goes back to: what was in force before, and was not itself rolled back from."""
        return next(iter(self.earlier(family)), None)

    def earlier(self, family: str) -> list[str]:
        """The versions below the one in force, the latest first, as a stack: a roll-back takes one off."""
        stack: list[str] = []
        for one in self.history:
            if one.family != family:
                continue
            if one.version in stack:
                del stack[stack.index(one.version) :]
            stack.append(one.version)
        return stack[-2::-1]

    def put(self, family: str, version: str, *, at: datetime, by: str, reason: str) -> Promotion:
        """Note that a version is in force."""
        done = Promotion(
            family=family,
            version=version,
            before=self.in_force.get(family),
            at=at.isoformat(timespec="seconds"),
            by=by,
            reason=reason,
        )
        self.history = [*self.history, done][-HISTORY:]
        return done

    def written(self) -> bytes:
        """As the bytes of the file: indented JSON with a checksum."""
        history = tuple(self.history)
        return msgspec.json.format(msgspec.json.encode(_Sealed(history, _digest(history))))

    @classmethod
    def read(cls, data: bytes, path: str) -> Promotions:
        """What `written` gave.

        Raises:
            ModelError: it is damaged, or not as it was written.
        """
        try:
            sealed = msgspec.json.decode(data, type=_Sealed)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ModelError(path, f"it does not say which models are in force: {error}") from error
        found = cls(list(sealed.history))
        if found.written() != data:
            raise ModelError(path, "it was changed after it was written: its checksum is another")
        return found


def _digest(history: tuple[Promotion, ...]) -> str:
    return hashlib.sha256(msgspec.json.encode(history)).hexdigest()
