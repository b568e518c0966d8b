"""How many rows of each log there were, by account, Region and day."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from guardray.store.usage_schema import USAGE
from guardray.types import AccountId, Region

KEPT_DAYS = 30
"""Usage is told of so many days, as GuardDuty tells it."""


def add_usage(connection: Connection, day: date, rows: Sequence[Mapping[str, Any]]) -> None:
    """Count rows that were read on a day, in the open transaction, and forget days that nobody is told of any more.

    Args:
        rows: each with `account_id`, `region`, `source` and `rows`; no two of one account, Region and source.
    """
    if not rows:
        return
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    added = make(USAGE)
    keys = list(USAGE.primary_key.columns)
    counted = added.on_conflict_do_update(index_elements=keys, set_={"rows": USAGE.c.rows + added.excluded.rows})
    connection.execute(counted, [{**row, "day": day} for row in rows])
    connection.execute(delete(USAGE).where(USAGE.c.day <= day - timedelta(days=KEPT_DAYS)))


def usage_of(
    connection: Connection, account_ids: Collection[AccountId], region: Region, today: date
) -> dict[tuple[AccountId, str], int]:
    """Rows by account and source in the last days; those of which there were none are left out."""
    columns = USAGE.c
    query = (
        select(columns.account_id, columns.source, func.sum(columns.rows).label("total"))
        .where(columns.region == region, columns.account_id.in_(sorted(account_ids)))
        .where(columns.day > today - timedelta(days=KEPT_DAYS))
        .group_by(columns.account_id, columns.source)
    )
    return {(row.account_id, row.source): int(row.total) for row in connection.execute(query)}
