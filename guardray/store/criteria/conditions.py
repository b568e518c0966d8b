"""Conditions on attributes of a finding, and what their operands can stand for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from guardray.findings.wire import time_text

Operator = Literal[
    "equals",
    "notEquals",
    "greaterThan",
    "greaterThanOrEqual",
    "lessThan",
    "lessThanOrEqual",
    "matches",
    "notMatches",
]

NEGATED = {"notEquals": "equals", "notMatches": "matches"}
"""Operators that hold where the other one does not, also where the attribute is absent."""


@dataclass(frozen=True)
class Condition:
    """One operator on one attribute.

    Attributes:
        operands: texts for `equals` and `matches` and what negates them, of which one is enough; else empty.
        bound: for the others; milliseconds since 1970 where the attribute is a time.
    """

    attribute: str
    operator: Operator
    operands: tuple[str, ...] = ()
    bound: int = 0

    @property
    def positive(self) -> Operator:
        """The operator, or the one that it negates."""
        return NEGATED.get(self.operator, self.operator)  # type: ignore[return-value]

    @property
    def negated(self) -> bool:
        return self.operator in NEGATED


Criteria = tuple[Condition, ...]
"""All of them must hold. None: every finding does."""

LARGEST = 1e18
"""Numbers beyond are as large as this: databases stop at different ones."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")
_DIGITS = re.compile(r"[0-9]{1,15}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3})?Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MS = -62_135_596_800_000  # year 1
_LAST_MS = 253_402_300_799_999  # year 9999


@dataclass(frozen=True)
class Operand:
    """A text of `equals`, by the kinds of values that it can be equal to; null where it cannot."""

    texts: tuple[str, ...]
    number: float | None
    truth: bool | None
    time: datetime | None

    @staticmethod
    def of(text: str) -> Operand:
        text = clean(text)
        digits, lower = _DIGITS.fullmatch(text), text.lower()
        time = _time_or_none(text) if digits is None else time_of_milliseconds(int(text))
        texts = {comparable(text)} if time is None else {comparable(text), time_text(time)}
        number = float(text) if _NUMBER.fullmatch(text) else None
        truth = lower == "true" if lower in ("true", "false") else None
        return Operand(tuple(sorted(texts)), number, truth, time)


def clean(text: str) -> str:
    """As the store keeps texts: PostgreSQL refuses the character NUL."""
    return text.replace("\0", "�")


def is_time(text: str) -> bool:
    """Written as findings write times, with or without milliseconds."""
    return _TIME.fullmatch(text) is not None


def is_digits(text: str) -> bool:
    """A number that is written as text, such as that of an autonomous system."""
    return _DIGITS.fullmatch(text) is not None


def comparable(text: str) -> str:
    """The text; a time with its milliseconds, so that texts of times are in their order."""
    return f"{text[:19]}.000Z" if len(text) == 20 and is_time(text) else text


def limited(number: float) -> float:
    """The number, no further from 0 than LARGEST."""
    return float(max(min(number, LARGEST), -LARGEST))


def time_of_milliseconds(milliseconds: int) -> datetime:
    """The time so long after 1970, within the years 1 and 9999."""
    return _EPOCH + timedelta(milliseconds=min(max(milliseconds, _FIRST_MS), _LAST_MS))


def _time_or_none(text: str) -> datetime | None:
    if not is_time(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
