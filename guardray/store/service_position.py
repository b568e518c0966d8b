"""How far the sources were read, in the transaction of the epoch that read them.

A position is JSON. What it has below `blocks`, wherever that is, are texts that seldom change. Each of them is written
once, and is there for as long as the position has it, so that an epoch costs what is new in it.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select

from guardray.store.service_schema import POSITION_BLOCKS, SERVICE_POSITION

BLOCKS = "blocks"

_BLOCKS_A_STATEMENT = 500


def save_position(connection: Connection, epoch: int, position: dict[str, Any]) -> None:
    """Write down the position of the sources after an epoch, in the open transaction."""
    texts: dict[str, str] = {}

    def named(text: str) -> str:
        digest = blake2b(text.encode(), digest_size=16).hexdigest()
        texts[digest] = text
        return digest

    content = _with_blocks(position, named)
    _keep(connection, texts)
    connection.execute(delete(SERVICE_POSITION))
    row = {"id": 1, "epoch": epoch, "content": msgspec.json.encode(content).decode()}
    connection.execute(insert(SERVICE_POSITION), row)


def read_position(connection: Connection) -> dict[str, Any] | None:
    """The position after the newest epoch; None where there was none."""
    text = connection.scalar(select(SERVICE_POSITION.c.content))
    if text is None:
        return None
    columns = POSITION_BLOCKS.c
    texts = {row.digest: row.content for row in connection.execute(select(columns.digest, columns.content))}
    # Before there were blocks apart, no position had any.
    position: dict[str, Any] = _with_blocks(msgspec.json.decode(text), texts.__getitem__)
    return position


def forget_position(connection: Connection) -> None:
    """Have the sources begin anew, in the open transaction."""
    connection.execute(delete(SERVICE_POSITION))
    connection.execute(delete(POSITION_BLOCKS))


def _with_blocks(content: Any, replaced: Callable[[str], str]) -> Any:
    """The same JSON with others in place of the texts below `blocks`."""
    if isinstance(content, list):
        return [_with_blocks(one, replaced) for one in content]
    if not isinstance(content, dict):
        return content
    return {
        name: [replaced(text) for text in one] if name == BLOCKS else _with_blocks(one, replaced)
        for name, one in content.items()
    }


def _keep(connection: Connection, texts: dict[str, str]) -> None:
    """Have these blocks there, and no others."""
    digest = POSITION_BLOCKS.c.digest
    there = set(connection.scalars(select(digest)))
    gone, come = sorted(there - texts.keys()), sorted(texts.keys() - there)
    for at in range(0, len(gone), _BLOCKS_A_STATEMENT):
        connection.execute(delete(POSITION_BLOCKS).where(digest.in_(gone[at : at + _BLOCKS_A_STATEMENT])))
    if come:
        connection.execute(insert(POSITION_BLOCKS), [{"digest": one, "content": texts[one]} for one in come])
