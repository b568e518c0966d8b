"""Which process runs the service on a store: a row with a heartbeat, and the fence that shuts out the one before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from guardray.errors import StoreError
from guardray.store.database import Database
from guardray.store.fencing import check_fence, next_fence
from guardray.store.service_schema import SERVICE_LEASE


@dataclass(frozen=True)
class Holder:
    """The process that runs the service.

    Attributes:
        fence: its number as the one writer.
        name: what it calls itself, such as its host and process.
        since: when it began.
        heard_at: when it was last heard of.
        until: when it counts as gone if nothing more is heard of it.
    """

    fence: int
    name: str
    since: datetime
    heard_at: datetime
    until: datetime


class Lease:
    """The lease in the findings database. It tells whether a service runs; what keeps writes apart is the fence alone.

    Every method raises StoreError when the database refuses.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def acquire(self, name: str, now: datetime, lasts: timedelta, *, take_over: bool = False) -> int:
        """Become the one writer. Returns the fence.

        Args:
            lasts: how long it lasts after `now` and after each `renew`.
            take_over: also while another holds it, as when a supervisor starts the service again.

        Raises:
            StoreError: another process holds it.
        """
        with self._database.writing() as connection:
            if not take_over:
                refuse_while_held(connection, now)
            fence = next_fence(connection)
            connection.execute(delete(SERVICE_LEASE))
            row = {"id": 1, "fence": fence, "holder": name, "since": now, "heard_at": now, "until": now + lasts}
            connection.execute(insert(SERVICE_LEASE), row)
            return fence

    def renew(self, fence: int, now: datetime, lasts: timedelta) -> None:
        """The heartbeat.

        Raises:
            FencedError: another process has become the one writer since.
        """
        with self._database.writing() as connection:
            check_fence(connection, fence)
            beat = update(SERVICE_LEASE).where(SERVICE_LEASE.c.fence == fence)
            connection.execute(beat.values(heard_at=now, until=now + lasts))

    def release(self, fence: int) -> None:
        """Tell that the service has ended. Does nothing where another process has become the one writer since."""
        with self._database.writing() as connection:
            connection.execute(delete(SERVICE_LEASE).where(SERVICE_LEASE.c.fence == fence))

    def holder(self, now: datetime) -> Holder | None:
        """The process that runs the service, if one does."""
        with self._database.reading() as connection:
            return holder_at(connection, now)


def holder_at(connection: Connection, now: datetime) -> Holder | None:
    """The process that runs the service, if one does, in the open transaction."""
    row = connection.execute(select(SERVICE_LEASE).where(SERVICE_LEASE.c.until > now)).first()
    return None if row is None else Holder(row.fence, row.holder, row.since, row.heard_at, row.until)


def refuse_while_held(connection: Connection, now: datetime) -> None:
    """Raise StoreError while another process runs the service."""
    holder = holder_at(connection, now)
    if holder is not None:
        raise StoreError(
            f"{holder.name} runs the service on it (last heard of at {holder.heard_at:%Y-%m-%d %H:%M:%S}Z)"
        )
