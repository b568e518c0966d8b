"""How much was read of each log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "usage",
        sa.Column("account_id", sa.String(12), primary_key=True),
        sa.Column("region", sa.String, primary_key=True),
        sa.Column("source", sa.String(30), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("rows", sa.BigInteger, nullable=False),
    )
