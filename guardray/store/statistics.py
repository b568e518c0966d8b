"""Counts of findings by severity, account, day, type and resource."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, func, select

from guardray.errors import QueryRefusedError
from guardray.store.criteria.conditions import Criteria
from guardray.store.index_schema import Instant
from guardray.store.search import Scope
from guardray.store.statistics_plan import GroupBy, counts

OrderBy = Literal["ASC", "DESC"]

_EPOCH = date(1970, 1, 1)

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
    counted = counts(connection, scope, criteria, "SEVERITY")
    severity, total = counted.keys["severity"], func.sum(counted.total)
    query = select(severity.label("severity"), total.label("total")).where(*counted.conditions).group_by(severity)
    return {row.severity: int(row.total) for row in connection.execute(counted.told(query).order_by(severity))}


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
    counted = counts(connection, scope, criteria, group_by)
    names = list(counted.keys.values())
    total = counted.total if counted.whole else func.sum(counted.total)
    last = counted.last if counted.whole else func.max(counted.last, type_=Instant)
    columns = (*(key.label(name) for name, key in counted.keys.items()), total.label("total"), last.label("last"))
    query = select(*columns).where(*counted.conditions)
    if not counted.whole:
        query = query.group_by(*names)
    ordered = counted.told(query).order_by(total.desc() if order_by == "DESC" else total, *names).limit(most)
    return [_group(row._asdict()) for row in connection.execute(ordered)]


def _group(row: dict[str, Any]) -> Group:
    days = row.pop("day", None)
    day = None if days is None else _EPOCH + timedelta(days=days)
    return Group(total=int(row.pop("total")), last_generated_at=row.pop("last"), day=day, **row)
