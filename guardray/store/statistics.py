"""Counts of findings by severity, account, day, type and resource."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Date, Select, String, Subquery, cast, func, select

from guardray.errors import QueryRefusedError
from guardray.store.criteria.conditions import Criteria
from guardray.store.criteria.sql import compile_criteria
from guardray.store.schema import FINDINGS
from guardray.store.search import Scope

GroupBy = Literal["ACCOUNT", "DATE", "FINDING_TYPE", "RESOURCE", "SEVERITY"]
OrderBy = Literal["ASC", "DESC"]

_BY_RESOURCE = frozenset({"accountId", "region", "resource.resourceType", "severity", "service.archived", "updatedAt"})
_BY_ACCOUNT = frozenset({"accountId", "region", "type", "severity", "service.archived", "updatedAt", "createdAt"})
_INDEXES: dict[str, tuple[str, tuple[str, ...], frozenset[str]]] = {
    "DATE": ("findings_by_update", (), _BY_ACCOUNT - {"createdAt"}),
    "RESOURCE": ("findings_by_resource", ("account_id", "region", "resource_type", "resource_name"), _BY_RESOURCE),
    "SEVERITY": ("findings_by_account", ("account_id", "region", "type", "severity"), _BY_ACCOUNT),
}
"""By grouping: an index, the columns of parts that it has together, and the attributes that it answers for alone."""

MAX_GROUPS = 100
DEFAULT_GROUPS = 25


@dataclass(frozen=True, kw_only=True)
class Group:
    """Findings that have something in common: what it is, by what they were grouped, else null.

    Attributes:
        day: of their last update, in UTC; such groups have a severity too.
        last_generated_at: the latest update.
    """

    account_id: str | None = None
    day: date | None = None
    finding_type: str | None = None
    resource_type: str | None = None
    resource_id: str | None = None
    severity: float | None = None
    total: int
    last_generated_at: datetime


def count_by_severity(connection: Connection, scope: Scope, criteria: Criteria = ()) -> dict[float, int]:
    """How many findings of each severity there are, ascending."""
    severity = FINDINGS.c.severity
    query = (
        select(severity, func.count().label("total")).where(*_chosen(connection, scope, criteria)).group_by(severity)
    )
    return {row.severity: row.total for row in connection.execute(query.order_by(severity))}


def count_by_group(
    connection: Connection,
    scope: Scope,
    group_by: GroupBy,
    criteria: Criteria = (),
    *,
    order_by: OrderBy = "DESC",
    most: int = DEFAULT_GROUPS,
) -> list[Group]:
    """The groups by how many findings they have, equals by what they have in common.

    Args:
        most: so many groups at most, 1 to MAX_GROUPS.

    Raises:
        QueryRefusedError: there is no such grouping or order, or `most` is out of range.
    """
    if not 1 <= most <= MAX_GROUPS:
        raise QueryRefusedError("maxResults", f"is not between 1 and {MAX_GROUPS}")
    if order_by not in ("ASC", "DESC"):
        raise QueryRefusedError("orderBy", "is neither ASC nor DESC")
    keys = _keys(connection, group_by)
    found = _parts(connection, scope, criteria, group_by, keys)
    total = func.sum(found.c.total).label("total")
    names = [found.c[name] for name in keys]
    query = (
        select(*names, total, func.max(found.c.last).label("last"))
        .group_by(*names)
        .order_by(total.desc() if order_by == "DESC" else total, *names)
        .limit(most)
    )
    return [_group(row._asdict()) for row in connection.execute(query)]


def _parts(
    connection: Connection, scope: Scope, criteria: Criteria, group_by: GroupBy, keys: dict[str, ColumnElement[Any]]
) -> Subquery:
    """Counts of what a group is made of. SQLite counts rows as an index has them without sorting a million of them."""
    inner = list(keys.values())
    hint = None
    if connection.dialect.name == "sqlite" and group_by in _INDEXES:
        index, order, covered = _INDEXES[group_by]
        if all(condition.attribute in covered for condition in criteria):
            inner, hint = [FINDINGS.c[name] for name in order] or inner, f"INDEXED BY {index}"
    counted: Select[Any] = (
        select(
            *(key.label(name) for name, key in keys.items()),
            func.count().label("total"),
            func.max(FINDINGS.c.updated_at).label("last"),
        )
        .where(*_chosen(connection, scope, criteria))
        .group_by(*inner)
    )
    return (counted if hint is None else counted.with_hint(FINDINGS, hint, "sqlite")).subquery()


def _chosen(connection: Connection, scope: Scope, criteria: Criteria) -> list[ColumnElement[bool]]:
    return [*scope.conditions(), *compile_criteria(connection, criteria)]


def _keys(connection: Connection, group_by: GroupBy) -> dict[str, ColumnElement[Any]]:
    columns = FINDINGS.c
    match group_by:
        case "ACCOUNT":
            return {"account_id": columns.account_id}
        case "DATE":
            return {"day": _day(connection), "severity": columns.severity}
        case "FINDING_TYPE":
            return {"finding_type": columns.type}
        case "RESOURCE":
            return {
                "account_id": columns.account_id,
                "resource_type": columns.resource_type,
                "resource_id": columns.resource_name,
            }
        case "SEVERITY":
            return {"severity": columns.severity}
    raise QueryRefusedError("groupBy", "is none of ACCOUNT, DATE, FINDING_TYPE, RESOURCE, SEVERITY")


def _day(connection: Connection) -> ColumnElement[Any]:
    if connection.dialect.name == "sqlite":
        return func.substr(FINDINGS.c.updated_at, 1, 10, type_=String)
    return cast(func.timezone("UTC", FINDINGS.c.updated_at), Date)


def _group(row: dict[str, Any]) -> Group:
    day = row.pop("day", None)
    if isinstance(day, str):
        day = date.fromisoformat(day)
    return Group(total=int(row.pop("total")), last_generated_at=row.pop("last"), day=day, **row)
