"""How a page of findings is read: gathered from what few findings have, or walked in order until it is full.

Which of the two is fast depends on how many findings the conditions leave and where in the order these are, which no
database knows well. So it is tried out: a short walk comes first, and indexes are asked whether they leave few. Where
neither helps, all narrow rows are looked through, which bounds the time of any question that these answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select

from guardray.store.bulk import among
from guardray.store.criteria.attributes import COLUMNS, INDEXED
from guardray.store.criteria.conditions import Condition, Criteria
from guardray.store.criteria.sql import compile_condition, compile_criteria, having, is_narrow
from guardray.store.index_schema import FINDING_INDEX, FINDING_VALUES
from guardray.store.sorting import Place, Sort

FEW_VALUES = 10_000
"""So many rows that values name are read by their numbers in some 10 ms."""

FEW_ROWS = 20_000
"""The same of rows that an index of the table itself names."""

SHORT_WALK = 2_000
"""So many rows of an order are passed in some 2 ms."""

LONG_WALK = 50_000
"""To look through all of a million rows takes as long as to pass so many of an order."""

_INDEX_OF_ORDER = {
    "createdAt": "finding_index_by_creation",
    "updatedAt": "finding_index_by_update",
    "service.eventLastSeen": "finding_index_by_last_event",
    "severity": "finding_index_by_severity",
}
_INDEX_OF_CONDITION = {
    **_INDEX_OF_ORDER,
    "type": "finding_index_by_type",
    "accountId": "finding_index_by_account",
    "id": "finding_index_by_id",
}


Conditions = Sequence[ColumnElement[bool]]
"""On `finding_index`; all of them must hold."""


@dataclass(frozen=True)
class Question:
    """A page of findings.

    Attributes:
        scope: what may be seen.
        after: the place before the page.
        limit: so many rows at most.
    """

    scope: Conditions
    criteria: Criteria
    sort: Sort
    after: Place | None
    limit: int


def read_page(connection: Connection, question: Question) -> Sequence[Row[Any]]:
    """The rows of a page in their order: `finding_id`, the `value` that orders them, and `number`.

    Raises:
        QueryRefusedError: the place is of another order.
    """
    return _Reading(connection, question).rows()


def by_numbers(query: Select[Any]) -> Select[Any]:
    """A query of `finding_index` that names rows by their numbers, told to begin with these."""
    return _told(query, None)


class _Reading:
    """A page that is being read."""

    def __init__(self, connection: Connection, question: Question) -> None:
        self._connection = connection
        self._question = question
        sort = question.sort
        self._value = sort.expression(connection)
        number = FINDING_INDEX.c.number
        self._direction = (self._value.desc(), number.desc()) if sort.descending else (self._value.asc(), number.asc())
        self._after = [] if question.after is None else [sort.after(self._value, question.after)]
        conditions = *question.scope, *compile_criteria(connection, question.criteria), *self._after
        columns = FINDING_INDEX.c.finding_id, self._value.label("value"), number
        self._query = select(*columns).where(*conditions)

    def rows(self) -> Sequence[Row[Any]]:
        numbers = _rare_values(self._connection, self._question.criteria)
        if numbers is not None:
            by_number = among(self._connection, FINDING_INDEX.c.number, sorted(numbers))
            return self._read(by_numbers(self._ordered().where(by_number)))
        index = _INDEX_OF_ORDER.get(self._question.sort.attribute)
        if index is None:
            return self._gathered(self._smallest_index())
        walked, whole = self._walk(index, SHORT_WALK)
        if whole:
            return walked
        smallest = self._smallest_index()
        if smallest is not None:
            return self._gathered(smallest)
        needed = SHORT_WALK * self._question.limit // max(1, len(walked))
        all_narrow = all(is_narrow(condition) for condition in self._question.criteria)
        if needed <= LONG_WALK or not all_narrow:
            walked, whole = self._walk(index, 2 * needed if all_narrow else None)
            if whole:
                return walked
        return self._gathered(None)

    def _smallest_index(self) -> str | None:
        return _smallest(self._connection, self._question.scope, self._question.criteria)

    def _read(self, query: Select[Any]) -> Sequence[Row[Any]]:
        return self._connection.execute(query).all()

    def _ordered(self) -> Select[Any]:
        return self._query.order_by(*self._direction).limit(self._question.limit)

    def _gathered(self, index: str | None) -> Sequence[Row[Any]]:
        """Every row for which the conditions hold is found, and the first of the order are kept."""
        if self._connection.dialect.name == "sqlite":
            return self._read(_told(self._ordered(), index))
        # PostgreSQL would walk as soon as it sees the limit.
        found = self._query.cte("found").prefix_with("MATERIALIZED", dialect="postgresql")
        value, number = found.c.value, found.c.number
        descending = self._question.sort.descending
        direction = (value.desc(), number.desc()) if descending else (value.asc(), number.asc())
        return self._read(select(found).order_by(*direction).limit(self._question.limit))

    def _walk(self, index: str, steps: int | None) -> tuple[Sequence[Row[Any]], bool]:
        """Rows among the next so many of the order, and whether they are all of the page."""
        if steps is not None and self._has_many_equals():
            numbers = select(FINDING_INDEX.c.number).where(*self._after).order_by(*self._direction).limit(steps)
            next_ones = FINDING_INDEX.c.number.in_(_told(numbers, index).correlate(None))
            rows = self._read(by_numbers(self._ordered().where(next_ones)))
            return rows, len(rows) == self._question.limit
        query = self._ordered()
        end = None if steps is None else self._place_after(index, steps)
        if end is not None:
            query = query.where(self._question.sort.up_to(self._value, end.value, end.number))
        rows = self._read(_told(query, index))
        return rows, end is None or len(rows) == self._question.limit

    def _has_many_equals(self) -> bool:
        """Whether SQLite could not stop at a place among equals: its index narrows by the value alone."""
        return self._connection.dialect.name == "sqlite" and self._question.sort.attribute == "severity"

    def _place_after(self, index: str, steps: int) -> Row[Any] | None:
        order = select(self._value.label("value"), FINDING_INDEX.c.number).where(*self._after)
        order = order.order_by(*self._direction).offset(steps).limit(1)
        return self._connection.execute(_told(order, index)).first()


def narrowed(
    connection: Connection, scope: Conditions, criteria: Criteria, otherwise: str | None
) -> tuple[list[ColumnElement[bool]], str]:
    """Conditions that leave what a question asks for, in any order, and a hint for SQLite where to begin.

    Args:
        otherwise: the index to go through where none leaves few findings; null: the table.
    """
    conditions = [*scope, *compile_criteria(connection, criteria)]
    numbers = _rare_values(connection, criteria)
    if numbers is not None:
        return [*conditions, among(connection, FINDING_INDEX.c.number, sorted(numbers))], _hint(None)
    return conditions, _hint(_smallest(connection, scope, criteria) or otherwise)


def _rare_values(connection: Connection, criteria: Criteria) -> set[int] | None:
    """Numbers of all findings that have the values asked for, where one of them is rare; else null."""
    found: set[int] | None = None
    for condition in criteria:
        if condition.operator != "equals" or condition.attribute not in INDEXED:
            continue
        some = select(FINDING_VALUES.c.finding).where(having(condition)).limit(FEW_VALUES + 1)
        numbers = connection.scalars(some).all()
        if len(numbers) <= FEW_VALUES:
            found = set(numbers) if found is None else found.intersection(numbers)
    return found


def _smallest(connection: Connection, scope: Conditions, criteria: Criteria) -> str | None:
    """The index that leaves the fewest findings, where one leaves few; null where none does."""
    counted = [
        (_count(connection, index, conditions), index) for index, conditions in _ranges(connection, scope, criteria)
    ]
    few = [(count, index) for count, index in counted if count <= FEW_ROWS]
    return min(few)[1] if few else None


def _ranges(
    connection: Connection, scope: Conditions, criteria: Criteria
) -> Iterator[tuple[str, list[ColumnElement[bool]]]]:
    """Indexes that some conditions narrow, with these conditions."""
    narrowing: dict[str, list[ColumnElement[bool]]] = {}
    for condition in criteria:
        index = _INDEX_OF_CONDITION.get(condition.attribute)
        if index is not None and _is_range(condition):
            narrowing.setdefault(index, []).append(compile_condition(connection, condition))
    if any("account_id" in str(condition) for condition in scope):
        narrowing.setdefault("finding_index_by_account", []).extend(scope)
    yield from narrowing.items()


def _count(connection: Connection, index: str, conditions: Conditions) -> int:
    some = select(FINDING_INDEX.c.number).where(*conditions).limit(FEW_ROWS + 1)
    return connection.scalar(select(func.count()).select_from(_told(some, index).subquery())) or 0


def _is_range(condition: Condition) -> bool:
    if condition.operator == "equals":
        return True
    return not condition.negated and condition.operator != "matches" and COLUMNS[condition.attribute][1] != "text"


def _told(query: Select[Any], index: str | None) -> Select[Any]:
    """The query, told which index of SQLite to begin with; null: none, but numbers may be looked up."""
    return query.with_hint(FINDING_INDEX, _hint(index), "sqlite")


def _hint(index: str | None) -> str:
    return "NOT INDEXED" if index is None else f"INDEXED BY {index}"
