"""The one writer: a number that only grows, which every write of the writer is checked against."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from guardray.errors import FencedError
from guardray.store.schema import WRITER


def next_fence(connection: Connection) -> int:
    """Shut out everyone who got their number earlier, in the open transaction."""
    fence: int = (connection.scalar(select(WRITER.c.fence)) or 0) + 1
    connection.execute(delete(WRITER))
    connection.execute(insert(WRITER), {"id": 1, "fence": fence})
    return fence


def check_fence(connection: Connection, fence: int) -> None:
    """Make sure, in the open transaction, that nobody has become the writer since.

    Raises:
        FencedError: somebody has.
    """
    current = connection.scalar(select(WRITER.c.fence))
    if current != fence:
        raise FencedError(f"another process has become its writer since (fence {current}, ours is {fence})")
