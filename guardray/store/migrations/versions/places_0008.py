"""Whose findings a destination gets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "destination_places",
        sa.Column("destination", sa.String, sa.ForeignKey("destinations.name"), primary_key=True),
        sa.Column("account_id", sa.String, primary_key=True),
        sa.Column("region", sa.String, primary_key=True),
    )
