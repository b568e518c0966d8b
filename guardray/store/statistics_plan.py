"""What findings are counted from: totals that are kept, where these know what is asked, else the findings' own rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, Table, literal, type_coerce

from guardray.errors import QueryRefusedError
from guardray.store.criteria.attributes import COLUMNS
from guardray.store.criteria.conditions import Condition, Criteria, Operand
from guardray.store.criteria.sql import compile_criteria, is_narrow
from guardray.store.index_schema import DAY_TOTALS, DAY_US, FINDING_INDEX, RESOURCE_TOTALS, TYPE_TOTALS
from guardray.store.search import Scope
from guardray.store.search_plan import narrowed
from guardray.store.totals import ALL_REGIONS
from guardray.types import Region

GroupBy = Literal["ACCOUNT", "DATE", "FINDING_TYPE", "RESOURCE", "SEVERITY"]

_COLUMNS_OF_GROUP: Mapping[str, Mapping[str, str]] = {
    "ACCOUNT": {"account_id": "account_id"},
    "DATE": {"day": "day", "severity": "severity"},
    "FINDING_TYPE": {"finding_type": "type"},
    "RESOURCE": {"account_id": "account_id", "resource_type": "resource_type", "resource_id": "resource_name"},
    "SEVERITY": {"severity": "severity"},
}
"""What the findings of a group have in common, and the column that has it."""

_PLACES = frozenset({"accountId", "region"})
_TOTALS: Mapping[str, tuple[Table, frozenset[str]]] = {
    "ACCOUNT": (TYPE_TOTALS, _PLACES | {"type", "severity", "service.archived"}),
    "DATE": (DAY_TOTALS, _PLACES | {"severity", "service.archived"}),
    "FINDING_TYPE": (TYPE_TOTALS, _PLACES | {"type", "severity", "service.archived"}),
    "RESOURCE": (RESOURCE_TOTALS, _PLACES | {"resource.resourceType"}),
    "SEVERITY": (TYPE_TOTALS, _PLACES | {"type", "severity", "service.archived"}),
}
"""By grouping: the table that has totals, and the attributes that its rows have."""

_INDEXES: Mapping[str, str] = {
    "ACCOUNT": "finding_index_by_account",
    "DATE": "finding_index_by_account",
    "FINDING_TYPE": "finding_index_by_type",
    "RESOURCE": "finding_index_by_resource",
    "SEVERITY": "finding_index_by_account",
}
"""By grouping: an index that has its columns, in most cases in the order of the groups, so that nothing is sorted."""

_INDEXED_COLUMNS = {str(index.name): frozenset(index.columns.keys()) for index in FINDING_INDEX.indexes}


@dataclass(frozen=True)
class Counts:
    """Rows that counts are made of.

    Attributes:
        keys: what a group's rows have in common.
        total, last: how many findings a row is for, and the latest update of these.
        whole: each row is a group.
        hint: where SQLite begins; null: wherever it likes.
    """

    conditions: Sequence[ColumnElement[bool]]
    keys: Mapping[str, ColumnElement[Any]]
    total: ColumnElement[Any]
    last: ColumnElement[Any]
    whole: bool = False
    hint: str | None = None

    def told(self, query: Select[Any]) -> Select[Any]:
        """The query of these rows, told where to begin."""
        return query if self.hint is None else query.with_hint(FINDING_INDEX, self.hint, "sqlite")


def counts(connection: Connection, scope: Scope, criteria: Criteria, group_by: GroupBy) -> Counts:
    """What to count for a grouping.

    Raises:
        QueryRefusedError: there is no such grouping.
    """
    if group_by not in _COLUMNS_OF_GROUP:
        raise QueryRefusedError("groupBy", f"is none of {', '.join(_COLUMNS_OF_GROUP)}")
    table, known = _TOTALS[group_by]
    only_current = [condition for condition in criteria if _is_current(condition)] if group_by == "RESOURCE" else []
    asked = tuple(condition for condition in criteria if condition not in only_current)
    if not all(condition.attribute in known and is_narrow(condition) for condition in asked):
        return _of_findings(connection, scope, criteria, group_by)
    conditions = [*scope.conditions(table), *compile_criteria(connection, asked, table)]
    whole = False
    if group_by == "RESOURCE":
        region = _one_region(scope, asked)
        of_region = table.c.region != ALL_REGIONS if region is None else table.c.region == region
        conditions += [table.c.with_archived == literal(not only_current), of_region]
        whole = region is not None
    keys = {name: table.c[column] for name, column in _COLUMNS_OF_GROUP[group_by].items()}
    return Counts(conditions, keys, table.c.total, table.c.last, whole)


def _of_findings(connection: Connection, scope: Scope, criteria: Criteria, group_by: GroupBy) -> Counts:
    columns = FINDING_INDEX.c
    index = _INDEXES[group_by]
    covers = all(is_narrow(each) and COLUMNS[each.attribute][0] in _INDEXED_COLUMNS[index] for each in criteria)
    conditions, hint = narrowed(connection, tuple(scope.conditions()), criteria, index if covers else None)
    keys = {
        name: type_coerce(columns.updated_at, BigInteger) // DAY_US if column == "day" else columns[column]
        for name, column in _COLUMNS_OF_GROUP[group_by].items()
    }
    return Counts(conditions, keys, literal(1), columns.updated_at, hint=hint)


def _is_current(condition: Condition) -> bool:
    """Whether a condition asks for current findings, and nothing else."""
    if condition.attribute != "service.archived" or condition.operator != "equals":
        return False
    truths = {Operand.of(text).truth for text in condition.operands} - {None}
    return truths == {False}


def _one_region(scope: Scope, criteria: Criteria) -> Region | None:
    """The Region whose totals are those of groups; null where these are made of several."""
    asked = [condition for condition in criteria if condition.attribute == "region"]
    region = scope.one_region
    if not asked:
        return region
    (first, *others) = asked
    is_one = not others and first.operator == "equals" and len(first.operands) == 1
    return first.operands[0] if is_one and region == ALL_REGIONS else (region or None)
