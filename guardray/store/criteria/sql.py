"""Criteria compiled to SQL. What they say becomes parameters, never a part of the statement."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import UTC
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, false, func, not_, or_, select

from guardray.store.criteria.attributes import COLUMNS, INDEXED
from guardray.store.criteria.conditions import Condition, Criteria, Operand, clean, limited, time_of_milliseconds
from guardray.store.criteria.postgresql import json_condition, like_pattern
from guardray.store.criteria.sqlite import encoded
from guardray.store.criteria.tokens import tokens_for
from guardray.store.criteria_schema import FINDING_VALUES
from guardray.store.schema import FINDINGS

COMPARISONS: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "greaterThan": operator.gt,
    "greaterThanOrEqual": operator.ge,
    "lessThan": operator.lt,
    "lessThanOrEqual": operator.le,
}


def compile_criteria(connection: Connection, criteria: Criteria) -> list[ColumnElement[bool]]:
    """Conditions on the table `findings`, all of which must hold, for the database of this connection."""
    return [compile_condition(connection, condition) for condition in criteria]


def compile_condition(connection: Connection, condition: Condition) -> ColumnElement[bool]:
    """One condition on the table `findings`, as `evaluation.holds` judges it; never null."""
    positive = _positive(connection, condition)
    return not_(positive) if condition.negated else positive


def _positive(connection: Connection, condition: Condition) -> ColumnElement[bool]:
    on_column = _on_column(connection, condition)
    if on_column is not None:
        return on_column
    if condition.attribute in INDEXED and condition.positive == "equals":
        has = select(FINDING_VALUES.c.finding_id).where(having(condition), FINDING_VALUES.c.finding_id == FINDINGS.c.id)
        # Looked up finding by finding: PostgreSQL would else join all findings that have a common value for one page.
        return has.correlate(FINDINGS).offset(0).exists()
    if connection.dialect.name == "sqlite":
        return func.guardray_satisfies(FINDINGS.c.json, encoded(condition)) == 1
    return json_condition(condition)


def having(condition: Condition) -> ColumnElement[bool]:
    """Rows of `finding_values` for which an `equals` of an indexed attribute is true."""
    columns = FINDING_VALUES.c
    return and_(columns.attribute == INDEXED[condition.attribute], columns.value.in_(sorted(tokens_for(condition))))


def _on_column(connection: Connection, condition: Condition) -> ColumnElement[bool] | None:
    """The condition on the attribute's column; null where there is none, or it does not show what is asked."""
    if condition.attribute not in COLUMNS:
        return None
    name, kind = COLUMNS[condition.attribute]
    column = FINDINGS.c[name]
    match condition.positive, kind:
        case "equals", _:
            equal = _equal(column, kind, condition)
            return func.coalesce(equal, false()) if column.nullable else equal
        case "matches", "text":
            like = or_(false(), *(_like(connection, column, pattern) for pattern in condition.operands))
            return func.coalesce(like, false()) if column.nullable else like
        case "matches", _:
            return None
        case _, "number":
            return COMPARISONS[condition.operator](column, limited(condition.bound))
        case _, "time":
            return COMPARISONS[condition.operator](column, time_of_milliseconds(condition.bound).astimezone(UTC))
        case _, "truth":
            return false()
        case _:
            return None


def _equal(column: ColumnElement[Any], kind: str, condition: Condition) -> ColumnElement[bool]:
    operands = [Operand.of(text) for text in condition.operands]
    match kind:
        case "text":
            return column.in_(sorted({text for operand in operands for text in operand.texts}))
        case "time":
            return column.in_(sorted({operand.time for operand in operands if operand.time is not None}))
        case "truth":
            return column.in_(sorted({operand.truth for operand in operands if operand.truth is not None}))
    numbers = sorted({operand.number for operand in operands if operand.number is not None})
    exact = column.in_(numbers)
    if condition.attribute != "severity":
        return exact
    bands = [and_(column >= number, column < number + 1) for number in numbers if number.is_integer()]
    return or_(exact, *bands)


def _like(connection: Connection, column: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
    if connection.dialect.name == "sqlite":
        return column.op("GLOB", is_comparison=True)(clean(pattern).replace("[", "[[]"))
    return column.like(like_pattern(pattern), escape="\\")
