"""`guardray status`: how the service stands, from what it wrote down itself."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from guardray.cli.messages import print_json
from guardray.cli.state import DATA_FOLDER, DataOption, StoreOption, existing_store
from guardray.cli.status_shown import show

if TYPE_CHECKING:
    from guardray.service.status import ServiceStatus
    from guardray.store.checkpoint_register import RegisteredCheckpoint
    from guardray.store.lease import Holder
    from guardray.store.outbox_overview import DestinationStatus

NOT_READY_STATUS = 1
WIDTH_WITHOUT_TERMINAL = 200


class PrintFormat(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"


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


def status_command(
    data: DataOption = DATA_FOLDER,
    store: StoreOption = None,
    format_: Annotated[PrintFormat, typer.Option("--format", "-f", help="How to print.")] = PrintFormat.TABLE,
) -> None:
    """Shows how the service stands: sources and their lag, epochs, checkpoints, state, destinations, problems.

    Exits with 0 while it runs and takes work, and with 1 when it does not: it was stopped, is starting or ending, or
    nothing was heard of it for 15 seconds.
    """
    standing = look(existing_store(data, store), datetime.now(UTC))
    if format_ is PrintFormat.JSON:
        told = {field.name: getattr(standing, field.name) for field in fields(standing)}
        print_json({"ready": standing.reason is None, **told})
    else:
        show(standing, Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL))
    raise typer.Exit(0 if standing.reason is None else NOT_READY_STATUS)


def look(url: str, now: datetime) -> Standing:
    """How the service on a store stands. Raises StoreError where the store refuses."""
    from guardray.store.checkpoint_register import CheckpointRegister
    from guardray.store.database import Database
    from guardray.store.lease import Lease
    from guardray.store.outbox_overview import status as destinations
    from guardray.store.service_status import StatusBoard

    database = Database(url)
    try:
        holder = Lease(database).holder(now)
        found = _decoded(StatusBoard(database).read())
        with database.reading() as connection:
            to_destinations = tuple(destinations(connection, now))
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
