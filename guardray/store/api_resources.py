"""What belongs to a detector: filters, lists, destinations, and rules that are switched on. There are few of each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, Select, delete, func, insert, select, update

from guardray.store.api_schema import RESOURCES
from guardray.types import AccountId, Region

FAILED = "ERROR"
"""The status of what could not be put into use."""


@dataclass(frozen=True, kw_only=True)
class StoredResource:
    """One of them.

    Attributes:
        kind: `filter`, `ipset` and so on, as in ARNs.
        id: unique in its account, Region and kind; of a filter its name.
        name: unique there too.
        number: in the order in which they were made.
        status: of those that have one.
        content: the rest, by the names of the API's model, as JSON can hold it.
    """

    account_id: AccountId
    region: Region
    kind: str
    id: str
    name: str
    number: int = 0
    status: str | None = None
    content: Mapping[str, Any] = field(default_factory=dict)
    client_token: str | None = None
    created_at: datetime
    updated_at: datetime


def find(connection: Connection, account_id: AccountId, region: Region, kind: str, id_: str) -> StoredResource | None:
    """The resource of this id."""
    row = connection.execute(_of(account_id, region, kind).where(RESOURCES.c.id == id_)).mappings().first()
    return None if row is None else _stored(row)


def resources_of(connection: Connection, account_id: AccountId, region: Region, kind: str) -> list[StoredResource]:
    """All of a kind in an account and Region, the oldest first."""
    query = _of(account_id, region, kind).order_by(RESOURCES.c.number)
    return [_stored(row) for row in connection.execute(query).mappings()]


def all_resources(
    connection: Connection, kinds: Collection[str], statuses: Collection[str] | None = None
) -> list[StoredResource]:
    """All of some kinds everywhere, or those of some statuses, the oldest of each place first."""
    columns = RESOURCES.c
    query = select(RESOURCES).where(columns.kind.in_(kinds))
    if statuses is not None:
        query = query.where(columns.status.in_(statuses))
    ordered = query.order_by(columns.account_id, columns.region, columns.number)
    return [_stored(row) for row in connection.execute(ordered).mappings()]


def failed(connection: Connection) -> list[StoredResource]:
    """All that could not be put into use, of any kind: `ErrorDetails` in their content says why."""
    columns = RESOURCES.c
    query = select(RESOURCES).where(columns.status == FAILED)
    ordered = query.order_by(columns.account_id, columns.region, columns.kind, columns.number)
    return [_stored(row) for row in connection.execute(ordered).mappings()]


def add(connection: Connection, resource: StoredResource) -> StoredResource:
    """Keep a new resource, as the latest of its kind."""
    columns = RESOURCES.c
    last = connection.scalar(
        select(func.max(columns.number)).where(
            columns.account_id == resource.account_id, columns.region == resource.region, columns.kind == resource.kind
        )
    )
    numbered = replace(resource, number=(last or 0) + 1)
    connection.execute(insert(RESOURCES), _row(numbered))
    return numbered


def change(connection: Connection, resource: StoredResource, now: datetime, **values: Any) -> StoredResource:
    """The resource with other values, kept."""
    changed = replace(resource, **values, updated_at=now)
    connection.execute(update(RESOURCES).where(*_key(resource)).values(_row(changed)))
    return changed


def remove(connection: Connection, resource: StoredResource) -> None:
    """Forget a resource."""
    connection.execute(delete(RESOURCES).where(*_key(resource)))


def _of(account_id: AccountId, region: Region, kind: str) -> Select[Any]:
    columns = RESOURCES.c
    return select(RESOURCES).where(columns.account_id == account_id, columns.region == region, columns.kind == kind)


def _key(resource: StoredResource) -> tuple[Any, ...]:
    columns = RESOURCES.c
    return (
        columns.account_id == resource.account_id,
        columns.region == resource.region,
        columns.kind == resource.kind,
        columns.id == resource.id,
    )


def _row(resource: StoredResource) -> dict[str, Any]:
    row = {name: getattr(resource, name) for name in RESOURCES.c.keys()}  # noqa: SIM118 - it is no mapping
    return row | {"content": msgspec.json.encode(resource.content).decode()}


def _stored(row: RowMapping) -> StoredResource:
    values = dict(row)
    return StoredResource(**{**values, "content": msgspec.json.decode(values["content"])})
