"""Parts of the sources' position that seldom change, apart from it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "position_blocks",
        sa.Column("digest", sa.String(32), primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
    )
