"""All that the service keeps in the findings database, behind one connection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from sqlalchemy import delete

from guardray.store.checkpoint_register import CheckpointRegister
from guardray.store.database import Database
from guardray.store.epochs import EpochLog
from guardray.store.fencing import check_fence, next_fence
from guardray.store.lease import Lease, refuse_while_held
from guardray.store.open_parts import close_all
from guardray.store.service_position import forget_position, read_position
from guardray.store.service_schema import CHECKPOINTS, SERVICE_EPOCHS, SERVICE_LEASE


@dataclass(frozen=True)
class Forgotten:
    """What `ServiceStore.reset` took away: numbers of rows."""

    epochs: int
    checkpoints: int


class ServiceStore:
    """The service's part of a findings store.

    Attributes:
        epochs: what was processed.
        checkpoints: which state counts.
        lease: who runs the service.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.epochs = EpochLog(database)
        self.checkpoints = CheckpointRegister(database)
        self.lease = Lease(database)

    @classmethod
    def open(cls, url: str, *, migrate: bool = True) -> ServiceStore:
        """The store at a path or URL, as `FindingStore.open` takes it.

        What it commits outlives a power cut too, since inputs are deleted that are in it.

        Args:
            migrate: see `Database`; false for those who only look.
        """
        return cls(Database(url, durable=True, migrate=migrate))

    def position(self) -> dict[str, Any] | None:
        """How far the sources were read when the newest epoch was committed; None where there was none."""
        with self._database.reading() as connection:
            return read_position(connection)

    def close_open_parts(self, fence: int) -> None:
        """Take all findings for final that are shown with an open part: what it was made of is lost.

        Raises:
            StoreError: another process has become the one writer since.
        """
        with self._database.writing() as connection:
            check_fence(connection, fence)
            close_all(connection)

    def reset(self, now: datetime) -> Forgotten:
        """Forget all epochs and checkpoints, and shut out whoever wrote them. Findings stay.

        Raises:
            StoreError: a service runs.
        """
        with self._database.writing() as connection:
            refuse_while_held(connection, now)
            next_fence(connection)
            connection.execute(delete(SERVICE_LEASE))
            forget_position(connection)
            close_all(connection)
            checkpoints = connection.execute(delete(CHECKPOINTS)).rowcount
            return Forgotten(connection.execute(delete(SERVICE_EPOCHS)).rowcount, checkpoints)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
