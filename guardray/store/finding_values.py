"""Keeping the table of values in step with findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert

from guardray.store.criteria.tokens import tokens_of
from guardray.store.criteria_schema import FINDING_VALUES

Json = Mapping[str, Any]

_NOTHING: Json = {}
_DELETE = delete(FINDING_VALUES).where(
    FINDING_VALUES.c.attribute == bindparam("of"),
    FINDING_VALUES.c.value == bindparam("was"),
    FINDING_VALUES.c.finding_id == bindparam("by"),
)
_KEY = itemgetter("attribute", "value", "finding_id")


def note_values(connection: Connection, changes: Iterable[tuple[Json | None, Json]]) -> None:
    """Bring the values of findings up to date, in the open transaction.

    Args:
        changes: GuardDuty's JSON of each finding before, null where it is new, and now.
    """
    gone: list[dict[str, Any]] = []
    come: list[dict[str, Any]] = []
    for before, now in changes:
        old, new = tokens_of(before or _NOTHING), tokens_of(now)
        gone += ({"of": attribute, "was": value, "by": now["id"]} for attribute, value in old - new)
        come += ({"attribute": attribute, "value": value, "finding_id": now["id"]} for attribute, value in new - old)
    if gone:
        connection.execute(_DELETE, gone)
    if come:
        # In the order of the primary key: neighbours go to the same page.
        come.sort(key=_KEY)
        connection.execute(insert(FINDING_VALUES), come)
