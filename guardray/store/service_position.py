"""How far the sources were read, in the transaction of the epoch that read them."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select

from guardray.store.service_schema import SERVICE_POSITION


def save_position(connection: Connection, epoch: int, position: dict[str, Any]) -> None:
    """Write down the position of the sources after an epoch, in the open transaction."""
    connection.execute(delete(SERVICE_POSITION))
    row = {"id": 1, "epoch": epoch, "content": msgspec.json.encode(position).decode()}
    connection.execute(insert(SERVICE_POSITION), row)


def read_position(connection: Connection) -> dict[str, Any] | None:
    """The position after the newest epoch; None where there was none."""
    text = connection.scalar(select(SERVICE_POSITION.c.content))
    position: dict[str, Any] | None = None if text is None else msgspec.json.decode(text)
    return position
