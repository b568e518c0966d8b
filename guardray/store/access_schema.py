"""The tables of access: keys and tokens, and what was changed by whom."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from guardray.store.schema import METADATA, LogText, UtcTime

ACCESS_KEYS = Table(
    "access_keys",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),  # signing or token
    Column("account_id", String(12), nullable=False),
    Column("role", String(16), nullable=False),
    Column("regions", Text, nullable=True),  # comma between them; null: all
    Column("secret", Text, nullable=False),  # sealed, or hashed: never the secret itself
    Column("sealed_by", String(32), nullable=False),  # names the sealing key, without telling it
    Column("created_at", UtcTime, nullable=False),
    Column("last_used_at", UtcTime, nullable=True),  # null: never; written now and then only
    Column("revoked_at", UtcTime, nullable=True),
)
"""Rows are never deleted: the audit log names them."""

AUDIT = Table(
    "audit",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("time", UtcTime, nullable=False),
    Column("actor", LogText, nullable=False),  # a key id, or who was logged in where a command ran
    Column("account_id", LogText, nullable=False),
    Column("region", LogText, nullable=True),  # null: of no one Region
    Column("operation", LogText, nullable=False),
    Column("parameters", Text, nullable=False),  # JSON, without secrets
    Column("outcome", LogText, nullable=False),  # done, or the code of the error
    Column("request_id", LogText, nullable=False),
    Column("source_ip", LogText, nullable=False),
    Index("audit_by_account", "account_id", "id"),
)
"""One row a change, or an attempt at one that was refused. Nothing updates or deletes them."""
