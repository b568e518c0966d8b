"""How the service on a store stands, from everything in the store that says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardray.service.status import ServiceStatus
    from guardray.store.checkpoint_register import RegisteredCheckpoint
    from guardray.store.lease import Holder
    from guardray.store.outbox_overview import DestinationStatus


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How the service stands at `now`, and everything in the store that says so.

    Attributes:
        reason: why it takes no work; null: it does.
        holder: the process that runs it.
        status: what the service said last.
        checkpoints: that are kept, newest first.
    """

    now: datetime
    reason: str | None
    holder: Holder | None
    status: ServiceStatus | None
    checkpoints: tuple[RegisteredCheckpoint, ...]
    destinations: tuple[DestinationStatus, ...]


def look(url: str, now: datetime) -> Standing:
    """How the service on a store stands. Raises StoreError where the store refuses."""
    from guardray.service.list_problems import with_list_problems
    from guardray.store.checkpoint_register import CheckpointRegister
    from guardray.store.database import Database
    from guardray.store.lease import Lease
    from guardray.store.outbox_overview import status as destinations
    from guardray.store.service_status import StatusBoard

    database = Database(url, migrate=False)
    try:
        holder = Lease(database).holder(now)
        found = _decoded(StatusBoard(database).read())
        with database.reading() as connection:
            to_destinations = tuple(destinations(connection, now))
            found = None if found is None else with_list_problems(found, connection)
        return Standing(
            now=now,
            reason=_reason(found, holder, now),
            holder=holder,
            status=found,
            checkpoints=tuple(CheckpointRegister(database).all()),
            destinations=to_destinations,
        )
    finally:
        database.close()


def _decoded(content: str | None) -> ServiceStatus | None:
    from guardray.service.status import decoded

    return None if content is None else decoded(content)


def _reason(status: ServiceStatus | None, holder: Holder | None, now: datetime) -> str | None:
    if status is not None:
        return status.not_ready(now)
    return "no service has run on this store" if holder is None else "the service has not said yet how it stands"
