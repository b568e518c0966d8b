"""Tables of the service: what it has processed, which checkpoints count, and which process runs it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Table, Text

from guardray.store.schema import FINDINGS, METADATA, LogText, UtcTime

SERVICE_EPOCHS = Table(
    "service_epochs",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("fence", BigInteger, nullable=False),
    Column("content", Text, nullable=False),  # JSON: the inputs, and what else the epoch needs to be processed again
    Column("created", Integer, nullable=False),  # findings that were new
    Column("updated", Integer, nullable=False),  # findings that were known
    Column("committed_at", UtcTime, nullable=False),
)

CHECKPOINTS = Table(
    "checkpoints",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),  # the last one whose state it holds
    Column("fence", BigInteger, nullable=False),
    Column("folder", String, nullable=False),  # below the root that the service is given
    Column("digest", String(64), nullable=False),  # of the manifest
    Column("bytes", BigInteger, nullable=False),  # of all that it refers to
    Column("created_at", UtcTime, nullable=False),
    Column("damage", LogText, nullable=True),  # null: none is known of
)

SERVICE_LEASE = Table(
    "service_lease",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("fence", BigInteger, nullable=False),
    Column("holder", LogText, nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("heard_at", UtcTime, nullable=False),
    Column("until", UtcTime, nullable=False),
)

SERVICE_POSITION = Table(
    "service_position",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("epoch", BigInteger, nullable=False),  # that it is the position after
    Column("content", Text, nullable=False),  # JSON: of the sources
)

POSITION_BLOCKS = Table(
    "position_blocks",
    METADATA,
    Column("digest", String(32), primary_key=True),  # of the content, by which a position names it
    Column("content", Text, nullable=False),
)

SERVICE_STATUS = Table(
    "service_status",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("told_at", UtcTime, nullable=False),
    Column("content", Text, nullable=False),  # JSON: how the service stands
)

OPEN_PARTS = Table(
    "open_parts",
    METADATA,
    Column("finding_id", ForeignKey(FINDINGS.c.id, ondelete="CASCADE"), primary_key=True),
    Column("json", Text, nullable=True),  # what is final of the finding; null: nothing yet
    Column("evidence", Text, nullable=False),  # JSON: the rows of what is final
)
