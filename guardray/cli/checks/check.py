"""The outcome of one look at the machine or the configuration."""

from __future__ import annotations

from typing import Literal

import msgspec

Status = Literal["ok", "warn", "fail"]


class Check(msgspec.Struct, frozen=True):
    """What was looked at, what was found, and what to do where it is not in order.

    Attributes:
        status: `warn` works, but not well; `fail` does not work.
    """

    subject: str
    status: Status
    found: str
    mend: str | None = None


def ok(subject: str, found: str) -> Check:
    """In order."""
    return Check(subject, "ok", found)


def warn(subject: str, found: str, mend: str) -> Check:
    """Works, but not well."""
    return Check(subject, "warn", found, mend)


def fail(subject: str, found: str, mend: str) -> Check:
    """Does not work."""
    return Check(subject, "fail", found, mend)
