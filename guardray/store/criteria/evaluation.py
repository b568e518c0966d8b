"""Criteria judged on the JSON of one finding: for suppression when it is written, and what the SQL must agree with."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from guardray.findings.wire import time_text
from guardray.store.criteria.conditions import (
    Condition,
    Criteria,
    Operand,
    clean,
    comparable,
    is_digits,
    is_time,
    limited,
    time_of_milliseconds,
)

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "greaterThan": operator.gt,
    "greaterThanOrEqual": operator.ge,
    "lessThan": operator.lt,
    "lessThanOrEqual": operator.le,
}
_LARGEST_WHOLE = 1e15


def matches(criteria: Criteria, finding: Mapping[str, Any]) -> bool:
    """Whether all conditions hold for a finding in GuardDuty's JSON."""
    return all(holds(condition, finding) for condition in criteria)


def holds(condition: Condition, finding: Mapping[str, Any]) -> bool:
    """Whether one condition holds. Of several values at the attribute's path, one is enough."""
    test = _test(condition)
    found = any(test(value) for value in values_at(finding, condition.attribute))
    return found is not condition.negated


def values_at(finding: Mapping[str, Any], attribute: str) -> Iterator[Any]:
    """All texts, numbers and truth values at a path. Lists on the way and at its end are gone through."""
    return _below(finding, attribute.split("."))


def whole(number: float) -> str | None:
    """A number without a fraction as its digits, which wildcards look at; null for any other."""
    return str(int(number)) if number == math.floor(number) and abs(number) < _LARGEST_WHOLE else None


def _below(node: Any, path: list[str]) -> Iterator[Any]:
    for each in node if isinstance(node, list) else (node,):
        if path and isinstance(each, Mapping):
            if path[0] in each:
                yield from _below(each[path[0]], path[1:])
        elif not path and isinstance(each, str | int | float):
            yield clean(each) if isinstance(each, str) else each


@lru_cache(maxsize=1024)
def _test(condition: Condition) -> Callable[[Any], bool]:
    match condition.positive:
        case "equals":
            operands = tuple(Operand.of(text) for text in condition.operands)
            by_band = condition.attribute == "severity"
            return lambda value: any(_equal(value, operand, by_band) for operand in operands)
        case "matches":
            patterns = tuple(_compiled(pattern) for pattern in condition.operands)
            return lambda value: _like(_shown(value), patterns)
        case _:
            bound = limited(condition.bound)
            time = time_text(time_of_milliseconds(condition.bound))
            compare = _COMPARISONS[condition.operator]
            return lambda value: _compared(value, bound, time, compare)


def _equal(value: Any, operand: Operand, by_band: bool) -> bool:
    if isinstance(value, bool):
        return value is operand.truth
    if isinstance(value, str):
        return comparable(value) in operand.texts
    if operand.number is None:
        return False
    # A severity of 8.5 is of the band that is filtered as 8.
    exact = limited(value) == operand.number
    return exact or (by_band and math.floor(limited(value)) == operand.number)


def _compared(value: Any, bound: float, time: str, compare: Callable[[Any, Any], bool]) -> bool:
    if isinstance(value, bool):
        return False
    if not isinstance(value, str):
        return compare(limited(value), bound)
    if is_digits(value):
        return compare(float(value), bound)
    return is_time(value) and compare(comparable(value), time)


def _like(shown: str | None, patterns: tuple[re.Pattern[str], ...]) -> bool:
    return shown is not None and any(pattern.fullmatch(shown) for pattern in patterns)


def _shown(value: Any) -> str | None:
    """The value as wildcards see it; null for a fraction, which databases write differently."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else whole(value)


def _compiled(pattern: str) -> re.Pattern[str]:
    """`*` stands for any run of characters and `?` for one.

    Each part between two stars is taken where it first fits and never tried again, so that no pattern is slow.
    """
    first, *rest = re.split(r"\*+", clean(pattern))
    if not rest:
        return re.compile(_literal(first), re.DOTALL)
    middle = "".join(f"(?>.*?{_literal(part)})" for part in rest[:-1])
    return re.compile(f"{_literal(first)}{middle}.*{_literal(rest[-1])}", re.DOTALL)


def _literal(part: str) -> str:
    return "".join("." if character == "?" else re.escape(character) for character in part)
