"""How the service stands, as it says itself: one row, replaced every few seconds, which all that shows it reads."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select

from guardray.store.database import Database
from guardray.store.fencing import check_fence
from guardray.store.service_schema import SERVICE_STATUS


class StatusBoard:
    """The status in the findings database. Every method raises StoreError when the database refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, content: str, told_at: datetime, fence: int) -> None:
        """Say how the service stands, in place of what was said before.

        Args:
            content: JSON, see `guardray.service.status.encoded`.

        Raises:
            FencedError: another process has become the one writer since, and speaks for the service.
        """
        with self._database.writing() as connection:
            check_fence(connection, fence)
            connection.execute(delete(SERVICE_STATUS))
            connection.execute(insert(SERVICE_STATUS), {"id": 1, "told_at": told_at, "content": content})

    def read(self) -> str | None:
        """What was said last; null: no service has ever run on this store."""
        with self._database.reading() as connection:
            return connection.scalar(select(SERVICE_STATUS.c.content))
