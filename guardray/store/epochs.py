"""The log of epochs: what was processed, in one transaction with what was found in it.

An epoch is processed first and committed then. One that was processed but not committed left nothing behind, and one
that is committed a second time, as after a restart from an older checkpoint, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, true

from guardray.errors import EpochsGoneError, StoreError
from guardray.store.database import Database
from guardray.store.fencing import check_fence
from guardray.store.service_schema import SERVICE_EPOCHS

Fold = Callable[[Connection], tuple[int, int]]
"""Writes what was found in the open transaction. Returns how many findings were new, and how many known."""


@dataclass(frozen=True)
class LoggedEpoch:
    """An epoch that was committed.

    Attributes:
        number: counted from 1 without a gap.
        content: plain JSON, as it was given to `commit`.
        fence: of the writer that committed it.
        created: findings that were new.
        updated: findings that were known.
    """

    number: int
    content: dict[str, Any]
    fence: int
    created: int
    updated: int
    committed_at: datetime


@dataclass(frozen=True)
class EpochCommit:
    """What committing did. `repeated`: the epoch had been committed before, and nothing was done now."""

    created: int
    updated: int
    repeated: bool = False


class EpochLog:
    """The epochs in the findings database. Every method raises StoreError when the database refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def commit(self, number: int, content: dict[str, Any], *, fence: int, now: datetime, fold: Fold) -> EpochCommit:
        """Write an epoch and what was found in it, all or nothing, and only the first time.

        Args:
            number: the one after `last`, or an earlier one that is committed again.
            content: plain JSON; a repeated epoch has to have what it had.
            fence: of the one writer.
            fold: writes the findings; not called where the epoch is repeated.

        After any other StoreError than those below, as of a connection that was lost, the epoch may be there or not:
        commit it again.

        Raises:
            FencedError: another process has become the one writer since.
            StoreError: epochs between are missing, or an epoch of this number has another content.
        """
        text = _json(content)
        with self._database.writing() as connection:
            check_fence(connection, fence)
            last = _last(connection)
            if number <= last:
                return _repeated(connection, number, text)
            if number != last + 1:
                raise StoreError(f"epoch {number} cannot follow epoch {last}")
            created, updated = fold(connection)
            row = {"number": number, "fence": fence, "content": text, "created": created, "updated": updated}
            connection.execute(insert(SERVICE_EPOCHS), row | {"committed_at": now})
            return EpochCommit(created, updated)

    def last(self) -> int:
        """The number of the newest epoch; 0 where there is none."""
        with self._database.reading() as connection:
            return _last(connection)

    def after(self, number: int) -> Sequence[LoggedEpoch]:
        """The epochs that follow this one, in their order: those to process again from a checkpoint of it.

        Raises:
            EpochsGoneError: the first of them are not kept any more.
        """
        epochs = self._where(SERVICE_EPOCHS.c.number > number)
        if epochs and epochs[0].number != number + 1:
            raise EpochsGoneError(f"epochs {number + 1} to {epochs[0].number - 1} are not kept any more")
        return epochs

    def kept(self) -> Sequence[LoggedEpoch]:
        """All that were not pruned, in their order."""
        return self._where(true())

    def _where(self, condition: ColumnElement[bool]) -> list[LoggedEpoch]:
        query = select(SERVICE_EPOCHS).where(condition).order_by(SERVICE_EPOCHS.c.number)
        with self._database.reading() as connection:
            return [
                LoggedEpoch(**{**row, "content": msgspec.json.decode(row["content"])})
                for row in connection.execute(query).mappings()
            ]

    def prune(self, until: int, *, fence: int) -> int:
        """Forget epochs up to this number, never the newest of all, by which the next is numbered. Returns how many.

        Raises:
            FencedError: another process has become the one writer since.
        """
        with self._database.writing() as connection:
            check_fence(connection, fence)
            kept = min(until, _last(connection) - 1)
            return connection.execute(delete(SERVICE_EPOCHS).where(SERVICE_EPOCHS.c.number <= kept)).rowcount


def _last(connection: Connection) -> int:
    return connection.scalar(select(func.max(SERVICE_EPOCHS.c.number))) or 0


def _repeated(connection: Connection, number: int, text: str) -> EpochCommit:
    columns = SERVICE_EPOCHS.c
    known = connection.execute(
        select(columns.content, columns.created, columns.updated).where(columns.number == number)
    ).first()
    if known is None:
        raise StoreError(f"epoch {number} was committed and is not kept any more: it cannot be told what it held")
    if known.content != text:
        raise StoreError(f"epoch {number} was committed with another content")
    return EpochCommit(known.created, known.updated, repeated=True)


def _json(content: dict[str, Any]) -> str:
    """The same text for equal content, whatever the order of its keys."""
    return msgspec.json.encode(content, order="deterministic").decode()
