"""How a page of findings is read: gathered from what few findings have, or walked in order until it is full.

Which of the two is fast depends on how many findings a condition leaves, which SQLite does not know and PostgreSQL
knows only of columns. So it is tried out: an index is asked whether it has more than a few thousand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from guardray.store.criteria.attributes import COLUMNS, INDEXED
from guardray.store.criteria.conditions import Condition, Criteria
from guardray.store.criteria.sql import compile_condition, having
from guardray.store.criteria_schema import FINDING_VALUES
from guardray.store.schema import FINDINGS
from guardray.store.sorting import Sort

FEW_VALUES = 2_000
"""To read so many findings by their ids takes as long as to walk until a page of them has been met, of a million."""

FEW_ROWS = 20_000
"""The same where an index answers alone, which is faster."""

_INDEX_OF_IDS = "sqlite_autoindex_findings_1"  # SQLite's name for that of the primary key
_INDEX_OF_ORDER = {
    "createdAt": "findings_by_creation",
    "updatedAt": "findings_by_update",
    "service.eventLastSeen": "findings_by_last_event",
    "severity": "findings_by_severity",
}
_INDEX_OF_CONDITION = {**_INDEX_OF_ORDER, "type": "findings_by_type", "accountId": "findings_by_account"}


def plan(
    connection: Connection, query: Select[Any], scope: Sequence[ColumnElement[bool]], criteria: Criteria, sort: Sort
) -> Select[Any]:
    """The query, told where to begin."""
    gathered = _gathered(connection, criteria)
    if gathered is not None:
        return by_ids(query.where(FINDINGS.c.id.in_(sorted(gathered))))
    if connection.dialect.name != "sqlite":
        return query
    index = _smallest(connection, scope, criteria) or _INDEX_OF_ORDER.get(sort.attribute)
    return query if index is None else _from(query, index)


def by_ids(query: Select[Any]) -> Select[Any]:
    """A query that names few ids, told to begin with them."""
    return _from(query, _INDEX_OF_IDS)


def _from(query: Select[Any], index: str) -> Select[Any]:
    return query.with_hint(FINDINGS, f"INDEXED BY {index}", "sqlite")


def _gathered(connection: Connection, criteria: Criteria) -> set[str] | None:
    """Ids of all findings that have the values asked for, where one of them is rare; else null."""
    gathered: set[str] | None = None
    for condition in criteria:
        if condition.operator != "equals" or condition.attribute not in INDEXED:
            continue
        some = select(FINDING_VALUES.c.finding_id).where(having(condition)).limit(FEW_VALUES + 1)
        ids = set(connection.scalars(some))
        if len(ids) <= FEW_VALUES:
            gathered = ids if gathered is None else gathered & ids
    return gathered


def _smallest(connection: Connection, scope: Sequence[ColumnElement[bool]], criteria: Criteria) -> str | None:
    """The index that leaves the fewest findings, where one leaves few; null where none does."""
    counted = [
        (_count(connection, index, conditions), index) for index, conditions in _ranges(connection, scope, criteria)
    ]
    few = [(count, index) for count, index in counted if count <= FEW_ROWS]
    return min(few)[1] if few else None


def _ranges(
    connection: Connection, scope: Sequence[ColumnElement[bool]], criteria: Criteria
) -> Iterator[tuple[str, list[ColumnElement[bool]]]]:
    """Indexes that some conditions narrow, with these conditions."""
    narrowing: dict[str, list[ColumnElement[bool]]] = {}
    for condition in criteria:
        index = _INDEX_OF_CONDITION.get(condition.attribute)
        if index is not None and _is_range(condition):
            narrowing.setdefault(index, []).append(compile_condition(connection, condition))
    if any("account_id" in str(condition) for condition in scope):
        narrowing.setdefault("findings_by_account", []).extend(scope)
    yield from narrowing.items()


def _is_range(condition: Condition) -> bool:
    if condition.operator == "equals":
        return True
    return not condition.negated and condition.operator != "matches" and COLUMNS[condition.attribute][1] != "text"


def _count(connection: Connection, index: str, conditions: Sequence[ColumnElement[bool]]) -> int:
    some = select(FINDINGS.c.id).where(*conditions).limit(FEW_ROWS + 1)
    return connection.scalar(select(func.count()).select_from(_from(some, index).subquery())) or 0
