"""What changes of findings mean for the outbox: a few statements for any number of findings and destinations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, case, exists, insert, literal, null, or_, select, update

from guardray.store.api_schema import DESTINATION_PLACES
from guardray.store.folding import chunks
from guardray.store.schema import DESTINATIONS, FINDINGS, OUTBOX, UtcTime


def note_changes(connection: Connection, finding_ids: Sequence[str], now: datetime) -> None:
    """Tell each destination's outbox, in the open transaction, that these findings were written.

    What was never sent is due at once; an update when the destination's quiet time is over. Changes that come while
    something is due already go with it, as what is sent is the finding as it is then. A change gives what was given up
    a new chance. A finding that is written as archived was suppressed: what was due of it is due no more.
    """
    if not connection.scalar(select(exists().where(DESTINATIONS.c.active))):
        return
    for ids in chunks(finding_ids):
        chosen = FINDINGS.c.id.in_(ids)
        _withdraw(connection, chosen)
        _fold(connection, chosen, now)
        announce(connection, chosen, now)


def announce(connection: Connection, chosen: ColumnElement[bool], now: datetime) -> int:
    """Make current findings due at active destinations that know nothing of them. Returns how many.

    Args:
        chosen: a condition on `findings` and `destinations`.
    """
    row = (DESTINATIONS.c.name, FINDINGS.c.id, literal(1), literal(now, UtcTime), literal(0))
    source = select(*row).where(unknown(), chosen)
    result = connection.execute(
        insert(OUTBOX).from_select(["destination", "finding_id", "change", "due_at", "attempts"], source)
    )
    return result.rowcount


def unknown() -> ColumnElement[bool]:
    """True for a finding and an active destination that should have it, and was never told of it."""
    told = exists().where(OUTBOX.c.destination == DESTINATIONS.c.name, OUTBOX.c.finding_id == FINDINGS.c.id)
    severe = FINDINGS.c.severity >= DESTINATIONS.c.severity
    return and_(DESTINATIONS.c.active, FINDINGS.c.archived.is_(False), severe, _is_for(), ~told)


def _is_for() -> ColumnElement[bool]:
    """Whether a destination gets findings of the account and Region: one that is not limited does."""
    places = DESTINATION_PLACES.c
    of_destination = places.destination == DESTINATIONS.c.name
    here = and_(places.account_id == FINDINGS.c.account_id, places.region == FINDINGS.c.region)
    return or_(~exists().where(of_destination), exists().where(of_destination, here))


def _withdraw(connection: Connection, chosen: ColumnElement[bool]) -> None:
    archived = select(FINDINGS.c.id).where(chosen, FINDINGS.c.archived)
    waiting = or_(OUTBOX.c.due_at.is_not(None), OUTBOX.c.dead_at.is_not(None))
    connection.execute(
        update(OUTBOX).where(OUTBOX.c.finding_id.in_(archived), waiting).values(due_at=None, dead_at=None)
    )


def _fold(connection: Connection, chosen: ColumnElement[bool], now: datetime) -> None:
    columns = OUTBOX.c
    current = select(FINDINGS.c.id).where(chosen, FINDINGS.c.archived.is_(False))
    active = select(DESTINATIONS.c.name).where(DESTINATIONS.c.active)
    is_due = columns.due_at.is_not(None)
    at = literal(now, UtcTime)
    connection.execute(
        update(OUTBOX)
        .where(columns.finding_id.in_(current), columns.destination.in_(active))
        .values(
            change=columns.change + 1,
            due_at=case((is_due, columns.due_at), (columns.quiet_until > at, columns.quiet_until), else_=at),
            attempts=case((is_due, columns.attempts), else_=0),
            failing_since=case((is_due, columns.failing_since), else_=null()),
            dead_at=None,
        )
    )
