"""FindingCriteria as they arrive, on the wire or as boto3 spells them, to conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from guardray.errors import QueryRefusedError
from guardray.store.criteria.attributes import known_attribute
from guardray.store.criteria.conditions import Condition, Criteria, Operator

MAX_ATTRIBUTES = 50
MAX_VALUES = 50
MAX_PATTERNS = 5
MAX_PATTERN_LENGTH = 512

_OPERATORS: dict[str, Operator] = {
    "eq": "equals",
    "equals": "equals",
    "neq": "notEquals",
    "notequals": "notEquals",
    "gt": "greaterThan",
    "greaterthan": "greaterThan",
    "gte": "greaterThanOrEqual",
    "greaterthanorequal": "greaterThanOrEqual",
    "lt": "lessThan",
    "lessthan": "lessThan",
    "lte": "lessThanOrEqual",
    "lessthanorequal": "lessThanOrEqual",
    "matches": "matches",
    "notmatches": "notMatches",
}
_INT64 = 1 << 63


def parse_criteria(criteria: Mapping[str, Any] | None, *, wildcards: bool = True) -> Criteria:
    """Conditions of FindingCriteria, in either spelling of operators and of `criterion`.

    Args:
        criteria: `{"criterion": {attribute: {operator: operand}}}`; null or empty asks for nothing.
        wildcards: `matches` and `notMatches` are allowed, as in filters; ListFindings has none.

    Raises:
        QueryRefusedError: an attribute, operator or operand is not one; too many of them.
    """
    criterion = _criterion(criteria)
    if len(criterion) > MAX_ATTRIBUTES:
        raise _refused(f"has more than {MAX_ATTRIBUTES} attributes")
    conditions: dict[Condition, None] = {}
    for name, operators in criterion.items():
        conditions |= dict.fromkeys(_conditions(known_attribute(name), operators, wildcards))
    return tuple(conditions)


def _criterion(criteria: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if not criteria:
        return {}
    criteria = _mapping(criteria, "is not an object")
    unknown = criteria.keys() - {"criterion", "Criterion"}
    if unknown or len(criteria) > 1:
        raise _refused("holds more than the member criterion")
    (criterion,) = criteria.values()
    return {} if criterion is None else _mapping(criterion, "has a criterion that is not an object")


def _conditions(attribute: str, operators: Any, wildcards: bool) -> Iterator[Condition]:
    for name, operand in _mapping(operators, f"gives no operator for {attribute}").items():
        if operand is None:
            continue
        operator = _OPERATORS.get(str(name).lower())
        if operator is None:
            raise _refused(f"has the unknown operator {str(name)[:40]!r} for {attribute}")
        yield _condition(attribute, operator, operand, wildcards)


def _condition(attribute: str, operator: Operator, operand: Any, wildcards: bool) -> Condition:
    match operator:
        case "equals" | "notEquals":
            return Condition(attribute, operator, _texts(attribute, operand, MAX_VALUES))
        case "matches" | "notMatches":
            if not wildcards:
                raise _refused(f"uses {operator} for {attribute}, which only filters may")
            patterns = _texts(attribute, operand, MAX_PATTERNS)
            if any(len(pattern) > MAX_PATTERN_LENGTH for pattern in patterns):
                raise _refused(f"has a pattern of more than {MAX_PATTERN_LENGTH} characters for {attribute}")
            return Condition(attribute, operator, patterns)
        case _:
            if isinstance(operand, bool) or not isinstance(operand, int) or not -_INT64 <= operand < _INT64:
                raise _refused(f"has a bound for {attribute} that is not a 64-bit integer")
            return Condition(attribute, operator, bound=operand)


def _texts(attribute: str, operand: Any, most: int) -> tuple[str, ...]:
    if not isinstance(operand, list | tuple) or not all(isinstance(text, str) for text in operand):
        raise _refused(f"has values for {attribute} that are not a list of strings")
    if len(operand) > most:
        raise _refused(f"has more than {most} values for {attribute}")
    for text in operand:
        _require_encodable(attribute, text)
    return tuple(operand)


def _require_encodable(attribute: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _refused(f"has a value for {attribute} that is not valid Unicode") from None


def _mapping(value: Any, otherwise: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _refused(otherwise)
    return value


def _refused(reason: str) -> QueryRefusedError:
    return QueryRefusedError("findingCriteria", reason)
