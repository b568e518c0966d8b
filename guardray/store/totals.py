"""Keeping totals of findings in step with findings: one row is changed for many findings of one kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Table

from guardray.store.bulk import delete_rows, insert_rows, touch_rows
from guardray.store.index_schema import DAY_TOTALS, DAY_US, RESOURCE_TOTALS, TYPE_TOTALS

FindingRow = Mapping[str, Any] | RowMapping
"""A row of `finding_index` by column."""

_Key = tuple[Any, ...]
_EPOCH_DAY = datetime(1970, 1, 1, tzinfo=UTC).toordinal()

ALL_REGIONS = ""


@dataclass(frozen=True)
class _Totals:
    """A table of totals.

    Attributes:
        keys_of: the rows that a finding counts in.
        are_of: the condition in SQL that a row `one` of `finding_index` counts in a row of the table.
    """

    table: Table
    keys_of: Callable[[FindingRow], Iterable[_Key]]
    are_of: str

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.table.primary_key)


def day_of(time: datetime) -> int:
    """Days since 1970, in UTC."""
    return time.astimezone(UTC).toordinal() - _EPOCH_DAY


def _of_type(row: FindingRow) -> Iterable[_Key]:
    yield row["type"], row["severity"], row["archived"], row["region"], row["account_id"]


def _of_day(row: FindingRow) -> Iterable[_Key]:
    yield day_of(row["updated_at"]), row["severity"], row["archived"], row["region"], row["account_id"]


def _of_resource(row: FindingRow) -> Iterator[_Key]:
    resource = row["account_id"], row["resource_type"], row["resource_name"]
    for with_archived in (True,) if row["archived"] else (True, False):
        for region in (row["region"], ALL_REGIONS):
            yield with_archived, region, *resource


def _same(table: Table, names: Iterable[str]) -> str:
    return " AND ".join(f"one.{name} = {table.name}.{name}" for name in names)


_DAY_BEGINS = f"finding_day_totals.day * {DAY_US}"
_TOTALS = (
    _Totals(TYPE_TOTALS, _of_type, _same(TYPE_TOTALS, ("type", "severity", "archived", "region", "account_id"))),
    _Totals(
        DAY_TOTALS,
        _of_day,
        f"{_same(DAY_TOTALS, ('account_id', 'region', 'severity', 'archived'))}"
        f" AND one.updated_at >= {_DAY_BEGINS} AND one.updated_at < {_DAY_BEGINS} + {DAY_US}",
    ),
    _Totals(
        RESOURCE_TOTALS,
        _of_resource,
        f"{_same(RESOURCE_TOTALS, ('account_id', 'resource_type', 'resource_name'))}"
        f" AND (finding_resource_totals.region = '{ALL_REGIONS}' OR one.region = finding_resource_totals.region)"
        " AND (finding_resource_totals.with_archived OR NOT one.archived)",
    ),
)


def note_totals(connection: Connection, changes: Iterable[tuple[FindingRow | None, FindingRow | None]]) -> None:
    """Bring totals up to date, in the open transaction, after `finding_index`.

    Args:
        changes: each finding's row before, null where it is new, and now, null where it is deleted.
    """
    listed = list(changes)
    for totals in _TOTALS:
        _note(connection, totals, listed)


def _note(
    connection: Connection, totals: _Totals, changes: Iterable[tuple[FindingRow | None, FindingRow | None]]
) -> None:
    added: dict[_Key, int] = {}
    last: dict[_Key, datetime] = {}
    left: set[_Key] = set()
    for before, now in changes:
        old = () if before is None else tuple(totals.keys_of(before))
        new = () if now is None else tuple(totals.keys_of(now))
        for key in old:
            added[key] = added.get(key, 0) - 1
            last.setdefault(key, before["updated_at"])  # type: ignore[index]
            if key not in new or now["updated_at"] < before["updated_at"]:  # type: ignore[index]
                left.add(key)
        for key in new:
            added[key] = added.get(key, 0) + 1
            last[key] = max(last.get(key, now["updated_at"]), now["updated_at"])  # type: ignore[index]
    rows = [(*key, number, last[key]) for key, number in sorted(added.items())]
    _add(connection, totals, rows)
    _settle(connection, totals, sorted(left))


def _add(connection: Connection, totals: _Totals, rows: list[_Key]) -> None:
    name = totals.table.name
    greatest = "max" if connection.dialect.name == "sqlite" else "greatest"
    conflict = (
        f"ON CONFLICT ({', '.join(totals.keys)}) DO UPDATE SET total = {name}.total + excluded.total,"
        f" last = {greatest}({name}.last, excluded.last)"
    )
    insert_rows(connection, totals.table, (*totals.keys, "total", "last"), rows, conflict)


def _settle(connection: Connection, totals: _Totals, left: list[_Key]) -> None:
    """Of totals that a finding has left, the latest update may have been that finding's, and nothing may remain."""
    delete_rows(connection, totals.table, totals.keys, left, f"AND {totals.table.name}.total = 0")
    latest = f"last = (SELECT max(one.updated_at) FROM finding_index AS one WHERE {totals.are_of})"
    touch_rows(connection, totals.table, totals.keys, left, latest)
