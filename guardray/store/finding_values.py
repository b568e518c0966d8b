"""Keeping the table of values in step with findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from guardray.store.criteria.tokens import tokens_of

Json = Mapping[str, Any]

_Row = tuple[int, str, str]
"""Attribute, value and finding."""

_DELETE = "DELETE FROM finding_values WHERE attribute = {0} AND value = {0} AND finding_id = {0}"
_INSERT = "INSERT INTO finding_values (attribute, value, finding_id) VALUES ({0}, {0}, {0})"


def note_values(connection: Connection, changes: Iterable[tuple[Json | None, Json]]) -> None:
    """Bring the values of findings up to date, in the open transaction.

    Args:
        changes: GuardDuty's JSON of each finding before, null where it is new, and now.
    """
    gone: list[_Row] = []
    come: list[_Row] = []
    for before, now in changes:
        new = tokens_of(now)
        old = set() if before is None else tokens_of(before)
        gone += ((attribute, value, now["id"]) for attribute, value in old - new)
        come += ((attribute, value, now["id"]) for attribute, value in new - old)
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    # By the driver itself: a finding has some 15 values, and SQLAlchemy takes longer for each than the database does.
    if gone:
        connection.exec_driver_sql(_DELETE.format(mark), gone)
    if come:
        # In the order of the primary key: neighbours go to the same page.
        come.sort()
        connection.exec_driver_sql(_INSERT.format(mark), come)
