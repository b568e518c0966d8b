"""The tables beside findings that their queries need: values that an index finds, and what people thought of them."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, SmallInteger, String, Table, Text

from guardray.store.schema import FINDINGS, METADATA, LogText, UtcTime

FINDING_VALUES = Table(
    "finding_values",
    METADATA,
    Column("attribute", SmallInteger, primary_key=True, autoincrement=False),  # a number of criteria.attributes.INDEXED
    Column("value", LogText, primary_key=True),  # as criteria.tokens writes it
    Column("finding_id", ForeignKey(FINDINGS.c.id, ondelete="CASCADE"), primary_key=True),
    Index("finding_values_by_finding", "finding_id"),
    sqlite_with_rowid=False,
)
"""Which findings have a value. It says nothing that the finding's JSON does not."""

FINDING_FEEDBACK = Table(
    "finding_feedback",
    METADATA,
    Column("finding_id", ForeignKey(FINDINGS.c.id, ondelete="CASCADE"), primary_key=True),
    Column("feedback", String(10), nullable=False),  # USEFUL or NOT_USEFUL
    Column("comments", Text, nullable=True),
    Column("given_by", LogText, nullable=False),  # the account
    Column("given_at", UtcTime, nullable=False),
)
"""The latest that somebody said of a finding."""
