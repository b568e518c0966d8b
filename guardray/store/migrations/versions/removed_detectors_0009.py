"""Where there was a detector and is none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "api_removed_detectors",
        sa.Column("account_id", sa.String(12), primary_key=True),
        sa.Column("region", sa.String, primary_key=True),
    )
