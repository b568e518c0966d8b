"""Keys and tokens as they are kept: what they are bound to, and their secrets sealed or hashed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, Self

from sqlalchemy import bindparam, func, insert, or_, select, update

from guardray.store.access_audit import AuditEntry, append
from guardray.store.access_schema import ACCESS_KEYS
from guardray.store.database import Database
from guardray.types import AccountId, Region

Kind = Literal["signing", "token"]


@dataclass(frozen=True, kw_only=True)
class KeyRecord:
    """A key or token.

    Attributes:
        kind: `signing` keys sign requests, a `token` is sent with them.
        role: a name of `guardray.access.identity.Role`.
        regions: null where it is good for every Region.
        secret: sealed for signing, hashed for tokens; `guardray.access.seal` knows how.
        sealed_by: names the sealing key that `secret` was made with.
        last_used_at: to the hour or so; null if never.
    """

    id: str
    kind: Kind
    account_id: AccountId
    role: str
    regions: frozenset[Region] | None
    secret: str = field(repr=False)
    sealed_by: str
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


class AccessKeys:
    """The keys and tokens of a store. Every method raises StoreError when the database refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str) -> AccessKeys:
        """The keys of the store at `url`, see `FindingStore.open`. A power cut does not bring a revoked key back."""
        return cls(Database(url, durable=True))

    def add(self, record: KeyRecord, entry: AuditEntry) -> None:
        """Keep a new key, and that it was made, in one transaction."""
        with self._database.writing() as connection:
            connection.execute(insert(ACCESS_KEYS), _row(record))
            append(connection, entry)

    def revoke(self, key_id: str, entry: AuditEntry) -> bool:
        """Make a key good for nothing from the entry's time on. False where it was so before, or is unknown."""
        active = (ACCESS_KEYS.c.id == key_id, ACCESS_KEYS.c.revoked_at.is_(None))
        with self._database.writing() as connection:
            done = connection.execute(update(ACCESS_KEYS).where(*active).values(revoked_at=entry.time)).rowcount == 1
            if done:
                append(connection, entry)
        return done

    def records(self) -> list[KeyRecord]:
        """All keys, those that were revoked too, the oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(ACCESS_KEYS).order_by(ACCESS_KEYS.c.created_at, ACCESS_KEYS.c.id))
            return [_record(row) for row in rows.mappings()]

    def version(self) -> tuple[int, int]:
        """Two numbers, one of which grows whenever a key is made or revoked."""
        query = select(func.count(), func.count(ACCESS_KEYS.c.revoked_at)).select_from(ACCESS_KEYS)
        with self._database.reading() as connection:
            made, revoked = connection.execute(query).one()
        return made, revoked

    def note_use(self, used: Mapping[str, datetime]) -> None:
        """Keep when keys were used, by id; an earlier time than the one that is kept changes nothing."""
        if not used:
            return
        columns, at = ACCESS_KEYS.c, bindparam("at", type_=ACCESS_KEYS.c.last_used_at.type)
        later = or_(columns.last_used_at.is_(None), columns.last_used_at < at)
        statement = update(ACCESS_KEYS).where(columns.id == bindparam("key_id"), later).values(last_used_at=at)
        with self._database.writing() as connection:
            connection.execute(statement, [{"key_id": key_id, "at": time} for key_id, time in used.items()])

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _row(record: KeyRecord) -> dict[str, Any]:
    regions = None if record.regions is None else ",".join(sorted(record.regions))
    return {**vars(record), "regions": regions}


def _record(row: Mapping[Any, Any]) -> KeyRecord:
    regions = None if row["regions"] is None else frozenset(row["regions"].split(","))
    return KeyRecord(**{**row, "regions": regions})
