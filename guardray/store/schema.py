"""The tables, for SQLite and PostgreSQL alike. Migrations lead an older store here; a new one starts here."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

REVISION = "0012"
"""The migration that these tables are at."""

VERSION_TABLE = "guardray_version"
"""Where a store's revision is written: a name of our own, since the database may hold other programs' tables too."""


class UtcTime(TypeDecorator[datetime]):
    """An aware time in UTC. SQLite keeps it without its offset."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class UnsignedBigInteger(TypeDecorator[int]):
    """An unsigned 64-bit number in a signed column, shifted so that the order stays."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        return None if value is None else value - (1 << 63)

    def process_result_value(self, value: int | None, dialect: Dialect) -> int | None:
        return None if value is None else value + (1 << 63)


class LogText(TypeDecorator[str]):
    """Text that comes out of logs. PostgreSQL refuses the character NUL, so it is replaced."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else value.replace("\0", "�")


METADATA = MetaData()

FINDINGS = Table(
    "findings",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("account_id", LogText, nullable=False),
    Column("region", LogText, nullable=False),
    Column("detector_id", String(32), nullable=False),
    Column("type", LogText, nullable=False),
    Column("severity", Float, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("event_first_seen", UtcTime, nullable=False),
    Column("event_last_seen", UtcTime, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("archived", Boolean, nullable=False),
    Column("resource_type", LogText, nullable=False),
    Column("resource_name", LogText, nullable=False),
    Column("json", Text, nullable=False),  # GuardDuty's JSON; the other columns repeat parts of it
    Column("user_feedback", String(10), nullable=True),  # the one thing that the JSON does not say
    Index("findings_by_urgency", "severity", "event_last_seen"),
)
"""What finds them in their order is in `index_schema`, as a row of this table is large."""

EVIDENCE = Table(
    "evidence",
    METADATA,
    Column("finding_id", ForeignKey(FINDINGS.c.id, ondelete="CASCADE"), primary_key=True),
    Column("time", UtcTime, primary_key=True),
    Column("digest", UnsignedBigInteger, primary_key=True),
    Column("row", Text, nullable=False),  # the normalised row as JSON
)

EPOCHS = Table(
    "epochs",
    METADATA,
    Column("id", LogText, primary_key=True),
    Column("fence", BigInteger, nullable=True),  # null: committed by a writer that shares the store
    Column("committed_at", UtcTime, nullable=False),
    Column("created", Integer, nullable=False),  # findings that were new
    Column("updated", Integer, nullable=False),  # findings that were known
)

WRITER = Table(
    "writer",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1: there is one writer
    Column("fence", BigInteger, nullable=False),
)

DESTINATIONS = Table(
    "destinations",
    METADATA,
    Column("name", LogText, primary_key=True),
    Column("active", Boolean, nullable=False),  # false: it is declared no longer, and gets nothing new
    Column("update_every_s", Integer, nullable=False),
    Column("severity", Float, nullable=False),  # the lowest that is sent
)

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("finding_id", ForeignKey(FINDINGS.c.id, ondelete="CASCADE"), primary_key=True),
    Column("destination", ForeignKey(DESTINATIONS.c.name), primary_key=True),
    Column("change", BigInteger, nullable=False),  # counts the changes of the finding
    Column("due_at", UtcTime, nullable=True),  # null: nothing is to be sent
    Column("attempts", Integer, nullable=False),  # that failed, of what is to be sent
    Column("failing_since", UtcTime, nullable=True),
    Column("last_error", LogText, nullable=True),
    Column("dead_at", UtcTime, nullable=True),  # given up then; `due_at` is null
    Column("sent_at", UtcTime, nullable=True),  # null: never
    Column("quiet_until", UtcTime, nullable=True),  # no update is sent before
    Column("lease", String(32), nullable=True),  # of the publisher that is sending it
    Column("leased_until", UtcTime, nullable=True),
    Column("leased_change", BigInteger, nullable=True),  # what `change` was when it was claimed
    Index("outbox_by_due", "destination", "due_at", "finding_id"),
)
"""What each destination has had of each finding, and what it is to get. The content is the finding's at that time."""
