"""The table of how much was read."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, String, Table

from guardray.store.schema import METADATA, LogText

USAGE = Table(
    "usage",
    METADATA,
    Column("account_id", String(12), primary_key=True),
    Column("region", LogText, primary_key=True),
    Column("source", String(30), primary_key=True),  # as detectors name it
    Column("day", Date, primary_key=True),  # on which they were read
    Column("rows", BigInteger, nullable=False),
)
