"""How the outbox stands: what waits at each destination, what was given up, and giving it another chance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, select, update

from guardray.store.schema import DESTINATIONS, FINDINGS, OUTBOX, UtcTime


@dataclass(frozen=True, kw_only=True)
class DestinationStatus:
    """How a destination stands.

    Attributes:
        active: whether findings are kept for it.
        sent: findings that it has had.
        due: deliveries that should be on their way now.
        later: those that wait for an update's time or for the next attempt.
        oldest_due: since when the longest one is due.
        failing_since: when the oldest series of failures began that has not ended.
        last_error: of the latest of the deliveries that fail or were given up.
    """

    name: str
    active: bool
    update_every_s: int
    severity: float
    sent: int
    due: int
    later: int
    dead: int
    oldest_due: datetime | None
    last_sent: datetime | None
    failing_since: datetime | None
    last_error: str | None


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A delivery that was given up."""

    destination: str
    finding_id: str
    type: str
    severity: float
    attempts: int
    failing_since: datetime
    dead_at: datetime
    last_error: str


def status(connection: Connection, now: datetime) -> list[DestinationStatus]:
    """How each destination stands, by name."""
    columns = OUTBOX.c
    is_due = columns.due_at <= now
    counts = (
        select(
            DESTINATIONS,
            func.count(columns.sent_at).label("sent"),
            func.count(case((is_due, 1))).label("due"),
            func.count(case((columns.due_at > now, 1))).label("later"),
            func.count(columns.dead_at).label("dead"),
            func.min(case((is_due, columns.due_at)), type_=UtcTime).label("oldest_due"),
            func.max(columns.sent_at, type_=UtcTime).label("last_sent"),
            func.min(columns.failing_since, type_=UtcTime).label("failing_since"),
        )
        .outerjoin(OUTBOX, columns.destination == DESTINATIONS.c.name)
        .group_by(DESTINATIONS.c.name)
        .order_by(DESTINATIONS.c.name)
    )
    rows = connection.execute(counts).mappings().all()
    return [DestinationStatus(**row, last_error=_last_error(connection, row["name"])) for row in rows]


def dead(connection: Connection, destination: str | None) -> list[DeadLetter]:
    """What was given up, the latest first."""
    columns = OUTBOX.c
    told = (columns.destination, columns.finding_id, columns.attempts, columns.failing_since, columns.dead_at)
    letters = (
        select(*told, columns.last_error, FINDINGS.c.type, FINDINGS.c.severity)
        .join(FINDINGS, FINDINGS.c.id == columns.finding_id)
        .where(columns.dead_at.is_not(None))
        .order_by(columns.dead_at.desc(), columns.destination, columns.finding_id)
    )
    if destination is not None:
        letters = letters.where(columns.destination == destination)
    return [DeadLetter(**row) for row in connection.execute(letters).mappings()]


def replay(connection: Connection, now: datetime, destination: str | None, finding_id: str | None) -> int:
    """Make what was given up due again. Returns how many."""
    columns = OUTBOX.c
    statement = update(OUTBOX).where(columns.dead_at.is_not(None))
    if destination is not None:
        statement = statement.where(columns.destination == destination)
    if finding_id is not None:
        statement = statement.where(columns.finding_id == finding_id)
    return connection.execute(statement.values(due_at=now, dead_at=None, attempts=0, failing_since=None)).rowcount


def _last_error(connection: Connection, destination: str) -> str | None:
    columns = OUTBOX.c
    failing = (columns.destination == destination, columns.failing_since.is_not(None))
    latest = func.coalesce(columns.dead_at, columns.failing_since).desc()
    return connection.scalar(select(columns.last_error).where(*failing).order_by(latest).limit(1))
