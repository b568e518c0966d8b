"""Keeping what finds and counts findings in step with them: whoever writes findings calls one of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, RowMapping, delete, func, select

from guardray.store.bulk import among, insert_rows, update_rows
from guardray.store.finding_values import note_values
from guardray.store.index_schema import FINDING_INDEX
from guardray.store.schema import FINDINGS
from guardray.store.totals import note_totals

Json = Mapping[str, Any]
FindingRow = Mapping[str, Any] | RowMapping
"""A row of `findings` by column."""

_REPEATED = tuple(column.name for column in FINDING_INDEX.c if column.name in FINDINGS.c)
_ROWS_A_STEP = 1000


@dataclass(frozen=True)
class Change:
    """A finding that was written again.

    Attributes:
        before: its row before, and GuardDuty's JSON of it; the latter is null where no value in it can have changed.
        now: the same of what it is now.
    """

    before: tuple[FindingRow, Json | None]
    now: tuple[FindingRow, Json | None]


def index_new(connection: Connection, findings: Sequence[tuple[FindingRow, Json]]) -> None:
    """Index findings that were inserted, in the open transaction: their rows, and GuardDuty's JSON of them."""
    first = (connection.scalar(select(func.max(FINDING_INDEX.c.number))) or 0) + 1
    numbered = [(number, row, json) for number, (row, json) in enumerate(findings, start=first)]
    rows = [(number, row["id"], *(row[name] for name in _REPEATED)) for number, row, _ in numbered]
    insert_rows(connection, FINDING_INDEX, ("number", "finding_id", *_REPEATED), rows)
    note_values(connection, ((number, None, json) for number, _, json in numbered))
    note_totals(connection, ((None, row) for _, row, _ in numbered))


def index_changed(connection: Connection, changes: Sequence[Change]) -> None:
    """Index findings that were updated, in the open transaction."""
    rows = [(*(row[name] for name in _REPEATED), row["id"]) for row, _ in (change.now for change in changes)]
    update_rows(connection, FINDING_INDEX, "finding_id", _REPEATED, rows)
    told_anew = [change for change in changes if change.now[1] is not None]
    if told_anew:
        numbers = _numbers(connection, [change.now[0]["id"] for change in told_anew])
        note_values(
            connection, ((numbers[change.now[0]["id"]], change.before[1], change.now[1]) for change in told_anew)
        )
    note_totals(connection, ((change.before[0], change.now[0]) for change in changes))


def delete_findings(connection: Connection, chosen: ColumnElement[bool]) -> None:
    """Delete findings with all that hangs on them, in the open transaction.

    Args:
        chosen: a condition on `findings`.
    """
    some = select(FINDINGS).where(chosen).limit(_ROWS_A_STEP)
    while rows := connection.execute(some).mappings().all():
        ids = [row["id"] for row in rows]
        numbers = _numbers(connection, ids)
        connection.execute(delete(FINDINGS).where(among(connection, FINDINGS.c.id, ids)))
        note_values(connection, ((numbers[row["id"]], msgspec.json.decode(row["json"]), None) for row in rows))
        note_totals(connection, ((row, None) for row in rows))


def _numbers(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    columns = FINDING_INDEX.c
    query = select(columns.finding_id, columns.number).where(among(connection, columns.finding_id, ids))
    return {row.finding_id: row.number for row in connection.execute(query)}
