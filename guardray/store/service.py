"""All that the service keeps in the findings database, behind one connection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

from sqlalchemy import delete

from guardray.store.checkpoint_register import CheckpointRegister
from guardray.store.database import Database
from guardray.store.epochs import EpochLog
from guardray.store.fencing import next_fence
from guardray.store.lease import Lease, refuse_while_held
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
    def open(cls, url: str) -> ServiceStore:
        """The store at a path or URL, as `FindingStore.open` takes it.

        What it commits outlives a power cut too, since inputs are deleted that are in it.
        """
        return cls(Database(url, durable=True))

    def reset(self, now: datetime) -> Forgotten:
        """Forget all epochs and checkpoints, and shut out whoever wrote them. Findings stay.

        Raises:
            StoreError: a service runs.
        """
        with self._database.writing() as connection:
            refuse_while_held(connection, now)
            next_fence(connection)
            connection.execute(delete(SERVICE_LEASE))
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
