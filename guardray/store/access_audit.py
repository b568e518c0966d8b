"""The audit log: what was changed or tried, by whom, when, and how it went. It is only ever added to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, insert, select

from guardray.store.access_schema import AUDIT
from guardray.store.database import Database
from guardray.types import AccountId, Region

DONE = "done"
"""The outcome of a change that was made; any other is the code of an error."""


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """A change, or an attempt at one.

    Attributes:
        actor: the id of a key or token, or who was logged in where a command ran.
        account_id: whose data it was about.
        region: null where it was about no one Region.
        operation: by its name in GuardDuty's model, or one of our own.
        parameters: JSON, without secrets.
        outcome: `DONE`, or the code of the error.
    """

    time: datetime
    actor: str
    account_id: AccountId
    region: Region | None
    operation: str
    parameters: str
    outcome: str
    request_id: str
    source_ip: str


def append(connection: Connection, entry: AuditEntry) -> None:
    """Add an entry in the open transaction, so that it stands if and only if the change does."""
    connection.execute(insert(AUDIT), asdict(entry))


class AuditLog:
    """The log of a store. Every method raises StoreError when the database refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str) -> AuditLog:
        """The log of the store at `url`, see `FindingStore.open`."""
        return cls(Database(url))

    def append(self, entry: AuditEntry) -> None:
        """Add an entry by itself: for what changed nothing."""
        with self._database.writing() as connection:
            append(connection, entry)

    def entries(self, *, account_id: AccountId | None = None, limit: int = 100) -> list[AuditEntry]:
        """The latest entries, of one account or of all, the latest first."""
        columns = [column for column in AUDIT.c if column.name != "id"]
        query = select(*columns).order_by(AUDIT.c.id.desc()).limit(limit)
        if account_id is not None:
            query = query.where(AUDIT.c.account_id == account_id)
        with self._database.reading() as connection:
            return [AuditEntry(**row) for row in connection.execute(query).mappings()]

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
