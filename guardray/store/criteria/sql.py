"""Criteria compiled to SQL. What they say becomes parameters, never a part of the statement."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import UTC
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, false, func, literal_column, not_, or_, select

from guardray.store.criteria.attributes import COLUMNS, FURTHER_COLUMNS, INDEXED
from guardray.store.criteria.conditions import Condition, Criteria, Operand, clean, limited, time_of_milliseconds
from guardray.store.criteria.postgresql import json_condition, like_pattern
from guardray.store.criteria.sqlite import encoded
from guardray.store.criteria.tokens import tokens_for
from guardray.store.index_schema import FINDING_INDEX, FINDING_TERMS, FINDING_VALUES
from guardray.store.schema import FINDINGS

COMPARISONS: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "greaterThan": operator.gt,
    "greaterThanOrEqual": operator.ge,
    "lessThan": operator.lt,
    "lessThanOrEqual": operator.le,
}


def compile_criteria(
    connection: Connection, criteria: Criteria, table: Table = FINDING_INDEX
) -> list[ColumnElement[bool]]:
    """Conditions on the table `finding_index`, all of which must hold, for the database of this connection.

    Args:
        table: another one that has the columns which the criteria ask for.
    """
    # What has to look beside the table comes last: each database judges conditions of equal cost in their order.
    ordered = sorted(criteria, key=lambda condition: condition.attribute not in COLUMNS)
    return [compile_condition(connection, condition, table) for condition in ordered]


def compile_condition(
    connection: Connection, condition: Condition, table: Table = FINDING_INDEX
) -> ColumnElement[bool]:
    """One condition on the table `finding_index`, as `evaluation.holds` judges it; never null."""
    positive = _positive(connection, condition, table)
    return not_(positive) if condition.negated else positive


def _positive(connection: Connection, condition: Condition, table: Table) -> ColumnElement[bool]:
    if condition.attribute in COLUMNS:
        name, kind = COLUMNS[condition.attribute]
        on_column = _on_column(connection, condition, table.c[name], kind)
        if on_column is not None:
            return on_column
    if condition.attribute in INDEXED and condition.positive == "equals":
        return exists_beside(FINDING_VALUES.c.finding == FINDING_INDEX.c.number, having(condition))
    return exists_beside(FINDINGS.c.id == FINDING_INDEX.c.finding_id, _on_finding(connection, condition))


def exists_beside(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """True for rows of `finding_index` that another table has something for."""
    found: Select[Any] = select(literal_column("1")).where(*conditions)
    # Looked up finding by finding: PostgreSQL would else join all findings that have a common value for one page.
    return found.correlate(FINDING_INDEX).offset(0).exists()


def having(condition: Condition) -> ColumnElement[bool]:
    """Rows of `finding_values` for which an `equals` of an indexed attribute is true."""
    terms = select(FINDING_TERMS.c.number).where(FINDING_TERMS.c.term.in_(sorted(tokens_for(condition))))
    return FINDING_VALUES.c.term.in_(terms)


def is_narrow(condition: Condition) -> bool:
    """Whether the table `finding_index` answers a condition alone."""
    if condition.attribute not in COLUMNS:
        return False
    kind = COLUMNS[condition.attribute][1]
    if condition.positive == "matches":
        return kind == "text"
    return condition.positive == "equals" or kind != "text"


def _on_finding(connection: Connection, condition: Condition) -> ColumnElement[bool]:
    if condition.attribute in FURTHER_COLUMNS:
        name, kind = FURTHER_COLUMNS[condition.attribute]
        on_column = _on_column(connection, condition, FINDINGS.c[name], kind)
        if on_column is not None:
            return on_column
    if connection.dialect.name == "sqlite":
        return func.guardray_satisfies(FINDINGS.c.json, encoded(condition)) == 1
    return json_condition(condition)


def _on_column(
    connection: Connection, condition: Condition, column: ColumnElement[Any], kind: str
) -> ColumnElement[bool] | None:
    """The condition on the attribute's column; null where it does not show what is asked."""
    match condition.positive, kind:
        case "equals", _:
            return _equal(column, kind, condition)
        case "matches", "text":
            return or_(false(), *(_like(connection, column, pattern) for pattern in condition.operands))
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
