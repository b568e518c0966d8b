"""Which checkpoints count: those that the findings database names. Files alone are nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from guardray.errors import StoreError
from guardray.store.database import Database
from guardray.store.fencing import check_fence
from guardray.store.service_schema import CHECKPOINTS, SERVICE_EPOCHS


@dataclass(frozen=True)
class RegisteredCheckpoint:
    """A checkpoint that counts.

    Attributes:
        number: grows with each; numbers of those that failed are left out.
        epoch: the last one whose state it holds.
        fence: of the writer that wrote it.
        folder: where its manifest lies, below the root of all checkpoints.
        digest: of the manifest, in hex.
        bytes: of all files that it refers to, its own and those of earlier checkpoints.
        damage: what was found to be wrong with it, if anything was: it counts no more.
    """

    number: int
    epoch: int
    fence: int
    folder: str
    digest: str
    bytes: int
    created_at: datetime
    damage: str | None = None


class CheckpointRegister:
    """The register in the findings database. Every method raises StoreError when the database refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(self, checkpoint: RegisteredCheckpoint) -> None:
        """Make a checkpoint count, whose files are all written.

        Raises:
            FencedError: another process has become the one writer since.
            StoreError: there is a newer one, or its epoch is not committed.
        """
        with self._database.writing() as connection:
            check_fence(connection, checkpoint.fence)
            newest = connection.scalar(select(func.max(CHECKPOINTS.c.number))) or 0
            if checkpoint.number <= newest:
                raise StoreError(f"checkpoint {checkpoint.number} cannot follow checkpoint {newest}")
            if checkpoint.epoch > _last_epoch(connection):
                raise StoreError(f"checkpoint {checkpoint.number} is of epoch {checkpoint.epoch}, not committed yet")
            connection.execute(insert(CHECKPOINTS), asdict(checkpoint))

    def all(self) -> Sequence[RegisteredCheckpoint]:
        """All of them, newest first, damaged ones too."""
        with self._database.reading() as connection:
            rows = connection.execute(select(CHECKPOINTS).order_by(CHECKPOINTS.c.number.desc())).mappings()
            return [RegisteredCheckpoint(**row) for row in rows]

    def sound(self) -> Sequence[RegisteredCheckpoint]:
        """Those of which no damage is known, newest first."""
        return [one for one in self.all() if one.damage is None]

    def mark_damaged(self, number: int, damage: str, *, fence: int) -> None:
        """Note that a checkpoint cannot be restored from. Raises FencedError as `forget`."""
        with self._database.writing() as connection:
            check_fence(connection, fence)
            connection.execute(update(CHECKPOINTS).where(CHECKPOINTS.c.number == number).values(damage=damage))

    def forget(self, numbers: Collection[int], *, fence: int) -> None:
        """Make checkpoints count no more; their files may go then.

        Raises:
            FencedError: another process has become the one writer since.
        """
        with self._database.writing() as connection:
            check_fence(connection, fence)
            connection.execute(delete(CHECKPOINTS).where(CHECKPOINTS.c.number.in_(numbers)))


def _last_epoch(connection: Connection) -> int:
    return connection.scalar(select(func.max(SERVICE_EPOCHS.c.number))) or 0
