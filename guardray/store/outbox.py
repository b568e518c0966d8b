"""The outbox: what is to be sent to each destination, handed out to one publisher at a time until it was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from sqlalchemy import ColumnElement, and_, case, func, literal, null, or_, select, update

from guardray.store import outbox_overview
from guardray.store.database import Database
from guardray.store.outbox_overview import DeadLetter, DestinationStatus
from guardray.store.outbox_register import Registered, Subscription, register
from guardray.store.schema import FINDINGS, OUTBOX, UtcTime
from guardray.types import AccountId, Region

ERROR_LENGTH = 500
"""Characters of an error that are kept: what a server says may be of any length."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A finding that is to be sent to a destination, as it is now.

    Attributes:
        change: which change of the finding this is; later ones go with the next delivery.
        first: whether the destination never had the finding.
        attempts: that failed already.
        lease: names the publisher's claim.
        json: the finding in GuardDuty's JSON.
    """

    destination: str
    finding_id: str
    change: int
    first: bool
    attempts: int
    failing_since: datetime | None
    lease: str
    account_id: AccountId
    region: Region
    type: str
    severity: float
    updated_at: datetime
    json: str = field(repr=False)


class Outbox:
    """What the destinations are to get. Several publishers may share it; times are what the caller says.

    Every method raises StoreError when the database refuses.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str) -> Outbox:
        """The outbox of the store at `url`, see `FindingStore.open`."""
        return cls(Database(url))

    def register(self, subscriptions: Sequence[Subscription], now: datetime, *, of_api: bool = False) -> Registered:
        """Make these the destinations of a file, or those of the API, that findings are kept for, and no others."""
        with self._database.writing() as connection:
            return register(connection, subscriptions, now, of_api=of_api)

    def claim(self, destination: str, *, limit: int, now: datetime, lease: timedelta) -> list[Delivery]:
        """What is due at a destination, the longest due first, for the caller alone until the lease is over.

        A caller that has sent or failed to says so by `done` or `failed`; what it leaves is handed out again.
        """
        token = uuid4().hex
        with self._database.writing() as connection:
            rows = connection.execute(_claimable(destination, limit, now)).mappings().all()
            if rows:
                columns = OUTBOX.c
                claim = {"lease": token, "leased_until": now + lease, "leased_change": columns.change}
                mine = and_(columns.destination == destination, columns.finding_id.in_([r["finding_id"] for r in rows]))
                connection.execute(update(OUTBOX).where(mine).values(claim))
        return [_delivery(destination, token, row) for row in rows]

    def done(self, deliveries: Sequence[Delivery], *, now: datetime, update_every: timedelta) -> int:
        """Note that deliveries were sent; a change that came meanwhile is due when `update_every` has passed.

        Returns how many are noted: none of a claim that has run out and that another publisher took over.
        """
        columns = OUTBOX.c
        newer = and_(columns.due_at.is_not(None), columns.change > columns.leased_change)
        quiet_until = now + update_every
        sent = {
            "sent_at": now,
            "quiet_until": quiet_until,
            "due_at": case((newer, literal(quiet_until, UtcTime)), else_=null()),
            "attempts": 0,
            "failing_since": None,
            "last_error": None,
        }
        return self._end(deliveries, sent)

    def failed(self, deliveries: Sequence[Delivery], *, error: str, now: datetime, retry_at: datetime | None) -> int:
        """Note that sending failed; it is due again at `retry_at`, or given up where that is null."""
        columns = OUTBOX.c
        withdrawn = columns.due_at.is_(None)
        outcome = {
            "attempts": columns.attempts + 1,
            "failing_since": func.coalesce(columns.failing_since, literal(now, UtcTime)),
            "last_error": error[:ERROR_LENGTH],
            "due_at": case((withdrawn, null()), else_=literal(retry_at, UtcTime)),
        }
        if retry_at is None:
            outcome["dead_at"] = case((withdrawn, null()), else_=literal(now, UtcTime))
        return self._end(deliveries, outcome)

    def release(self, deliveries: Sequence[Delivery]) -> int:
        """Give back what was claimed and not tried."""
        return self._end(deliveries, {})

    def next_due(self, destination: str, now: datetime) -> datetime | None:
        """When something is next to be sent, or a claim on it runs out; null where nothing waits."""
        columns = OUTBOX.c
        waiting = and_(columns.destination == destination, columns.due_at.is_not(None))
        first_free = select(columns.due_at).where(waiting, _is_free(now)).order_by(columns.due_at).limit(1)
        # Where this is asked for, all that is due is claimed, so that there is little to look through.
        first_end = select(func.min(columns.leased_until)).where(waiting, columns.due_at <= now, ~_is_free(now))
        with self._database.reading() as connection:
            free: datetime | None = connection.scalar(first_free)
            if free is not None and free <= now:
                return free
            claimed: datetime | None = connection.scalar(first_end)
        return min((time for time in (free, claimed) if time is not None), default=None)

    def status(self, now: datetime) -> list[DestinationStatus]:
        """How each destination stands, by name."""
        with self._database.reading() as connection:
            return outbox_overview.status(connection, now)

    def dead(self, destination: str | None = None) -> list[DeadLetter]:
        """What was given up, the latest first."""
        with self._database.reading() as connection:
            return outbox_overview.dead(connection, destination)

    def replay(self, now: datetime, *, destination: str | None = None, finding_id: str | None = None) -> int:
        """Make what was given up due again, at one destination or at all. Returns how many."""
        with self._database.writing() as connection:
            return outbox_overview.replay(connection, now, destination, finding_id)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _end(self, deliveries: Sequence[Delivery], values: Mapping[str, Any]) -> int:
        """Ends the claims on these deliveries, as far as they still hold."""
        if not deliveries:
            return 0
        columns = OUTBOX.c
        held = and_(
            columns.lease.in_({delivery.lease for delivery in deliveries}),
            columns.finding_id.in_([delivery.finding_id for delivery in deliveries]),
        )
        ended = {**values, "lease": None, "leased_until": None, "leased_change": None}
        with self._database.writing() as connection:
            return connection.execute(update(OUTBOX).where(held).values(ended)).rowcount


def _is_free(now: datetime) -> ColumnElement[bool]:
    return or_(OUTBOX.c.leased_until.is_(None), OUTBOX.c.leased_until <= now)


def _claimable(destination: str, limit: int, now: datetime) -> Any:
    columns, finding = OUTBOX.c, FINDINGS.c
    taken = (columns.finding_id, columns.change, columns.attempts, columns.failing_since, columns.sent_at)
    shown = (finding.account_id, finding.region, finding.type, finding.severity, finding.updated_at, finding.json)
    return (
        select(*taken, *shown)
        .join(FINDINGS, finding.id == columns.finding_id)
        .where(columns.destination == destination, columns.due_at <= now, _is_free(now))
        .order_by(columns.due_at, columns.finding_id)
        .limit(limit)
    )


def _delivery(destination: str, lease: str, row: Mapping[Any, Any]) -> Delivery:
    values = dict(row)
    first = values.pop("sent_at") is None
    return Delivery(destination=destination, lease=lease, first=first, **values)
