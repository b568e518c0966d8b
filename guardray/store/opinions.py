"""What was told of by some finding types, and what people said of it, row by row of the evidence."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, or_, select

from guardray.store.criteria_schema import FINDING_FEEDBACK
from guardray.store.index_schema import FINDING_INDEX
from guardray.store.schema import EVIDENCE

USEFUL = "USEFUL"

MOST_ROWS = 100_000
"""Rows of evidence that are looked at, the latest findings first: of thousands of findings, more than anybody reads."""

Fields = dict[str, msgspec.Raw]
"""Columns of a row, as JSON each: a row may tell of fifty others, which are not decoded."""


@dataclass(frozen=True)
class Told:
    """A row of evidence.

    Attributes:
        row: its normalised columns.
        is_useful: whether somebody found its finding useful. Archiving says that it was not, unless somebody said
            otherwise. None: nothing was said.
    """

    row: Fields
    is_useful: bool | None


def opinions(connection: Connection, types: Collection[str], since: datetime) -> Iterator[Told]:
    """What was told of and people said something of: events from `since` on.

    Args:
        types: finding types.
    """
    return _told(connection, types, since, or_(FINDING_FEEDBACK.c.feedback.is_not(None), FINDING_INDEX.c.archived))


def told_since(connection: Connection, types: Collection[str], since: datetime, updated: datetime) -> Iterator[Told]:
    """What was told of: events from `since` on, of findings that are new or were seen again from `updated` on."""
    return _told(connection, types, since, FINDING_INDEX.c.updated_at >= updated)


def _told(
    connection: Connection, types: Collection[str], since: datetime, wanted: ColumnElement[bool]
) -> Iterator[Told]:
    index, feedback = FINDING_INDEX.c, FINDING_FEEDBACK.c
    rows = (
        select(index.archived, feedback.feedback, EVIDENCE.c.row)
        .join(EVIDENCE, EVIDENCE.c.finding_id == index.finding_id)
        .outerjoin(FINDING_FEEDBACK, feedback.finding_id == index.finding_id)
        .where(index.type.in_(sorted(types)), index.event_last_seen >= since, EVIDENCE.c.time >= since, wanted)
        .order_by(index.event_last_seen.desc(), index.number, EVIDENCE.c.time, EVIDENCE.c.digest)
        .limit(MOST_ROWS)
    )
    for archived, said, row in connection.execute(rows):
        is_useful = said == USEFUL if said is not None else (False if archived else None)
        yield Told(msgspec.json.decode(row, type=Fields), is_useful)
