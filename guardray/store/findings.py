"""The findings store: folds each epoch's findings into what is stored, exactly once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, insert, select

from guardray.findings.finding import Finding
from guardray.findings.sighting import Occurrence
from guardray.store.database import Database
from guardray.store.fencing import check_fence, next_fence
from guardray.store.folding import fold
from guardray.store.outbox_changes import note_changes
from guardray.store.query import ALL, FindingQuery, select_findings
from guardray.store.rows import finding_of_json, occurrence_of_row
from guardray.store.schema import EPOCHS, EVIDENCE


def write_findings(connection: Connection, findings: Iterable[Finding], now: datetime) -> tuple[int, int]:
    """Fold findings into the store and tell the outbox of each destination, in the open transaction.

    Returns:
        How many findings were new, and how many known.
    """
    written = list(findings)
    created, updated = fold(connection, written)
    note_changes(connection, sorted({finding.id for finding in written}), now)
    return created, updated


@dataclass(frozen=True)
class Commit:
    """What committing an epoch did. `repeated`: the epoch had been committed before, and nothing was done now."""

    created: int
    updated: int
    repeated: bool = False


class FindingStore:
    """Findings and their evidence, in a SQLite file or a PostgreSQL database.

    Several processes may read and write one store. Every method raises StoreError when the database refuses.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str, *, migrate: bool = True) -> FindingStore:
        """The store at a path, at `sqlite:///path` or at `postgresql://user@host/database`, made where it is missing.

        An older store is brought to this program's schema, unless told otherwise: see `Database`. Raises StoreError
        when it cannot be opened, is not a guardray store, or is of a newer schema.
        """
        return cls(Database(url, migrate=migrate))

    def acquire_fence(self) -> int:
        """Become the one writer: a number for `commit` that shuts out everyone who got theirs earlier."""
        with self._database.writing() as connection:
            return next_fence(connection)

    def commit(self, findings: Iterable[Finding], *, epoch: str, now: datetime, fence: int | None = None) -> Commit:
        """Fold the findings of an epoch into the store, all or nothing, and only the first time.

        The outbox of each destination is told of them in the same transaction.

        Args:
            findings: with their evidence, as `finding_of` makes them. Those of one id are merged, as they are
                with the stored one: any split of the sightings into epochs gives the same store.
            epoch: names the part of the input that these findings are of, such as a digest of the files.
            now: when this is done.
            fence: of the one writer, from `acquire_fence`; null where writers share the store.

        Raises:
            StoreError: another process has become the one writer since, or the database refuses.
        """
        with self._database.writing() as connection:
            earlier = _commit_of(connection, epoch)
            if earlier is not None:
                return earlier
            if fence is not None:
                check_fence(connection, fence)
            created, updated = write_findings(connection, findings, now)
            row = {"id": epoch, "fence": fence, "committed_at": now, "created": created, "updated": updated}
            connection.execute(insert(EPOCHS), row)
            return Commit(created, updated)

    def findings(self, query: FindingQuery = ALL) -> list[Finding]:
        """Findings without their evidence, most urgent first."""
        with self._database.reading() as connection:
            return [finding_of_json(text) for text in connection.scalars(select_findings(query))]

    def evidence(self, finding_id: str) -> tuple[Occurrence, ...]:
        """The earliest rows of a finding and its latest one, ascending; none where there is no such finding."""
        with self._database.reading() as connection:
            return evidence_of(connection, finding_id)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def evidence_of(connection: Connection, finding_id: str) -> tuple[Occurrence, ...]:
    """See `FindingStore.evidence`. Who may see the finding is not asked here."""
    rows = select(EVIDENCE).where(EVIDENCE.c.finding_id == finding_id).order_by(EVIDENCE.c.time, EVIDENCE.c.digest)
    return tuple(occurrence_of_row(row) for row in connection.execute(rows).mappings())


def _commit_of(connection: Connection, epoch: str) -> Commit | None:
    row = connection.execute(select(EPOCHS.c.created, EPOCHS.c.updated).where(EPOCHS.c.id == epoch)).first()
    return None if row is None else Commit(row.created, row.updated, repeated=True)
