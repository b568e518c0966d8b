"""The table of what people thought of findings."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, String, Table, Text

from guardray.store.schema import FINDINGS, METADATA, LogText, UtcTime

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
