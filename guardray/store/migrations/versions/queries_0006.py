"""Indexes that hold what questions about findings ask, their values by attribute, and what people thought of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_OFTEN_ASKED = ["account_id", "region", "archived", "severity", "type"]


def upgrade() -> None:
    # As it is: a table that SQLite has to copy would take what hangs on it along.
    op.add_column("findings", sa.Column("user_feedback", sa.String(10), nullable=True))
    op.create_table(
        "finding_values",
        sa.Column("attribute", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("value", sa.String, primary_key=True),
        sa.Column("finding_id", sa.String(32), sa.ForeignKey("findings.id", ondelete="CASCADE"), primary_key=True),
        sqlite_with_rowid=False,
    )  # never filled: a later step has another table of that name
    op.create_index("finding_values_by_finding", "finding_values", ["finding_id"])
    op.create_table(
        "finding_feedback",
        sa.Column("finding_id", sa.String(32), sa.ForeignKey("findings.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("feedback", sa.String(10), nullable=False),
        sa.Column("comments", sa.Text, nullable=True),
        sa.Column("given_by", sa.String, nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
    )
    _replace_indexes()


def _replace_indexes() -> None:
    op.drop_index("findings_by_detector", "findings")
    op.drop_index("findings_by_type", "findings")
    asked = ["severity", "archived", "account_id", "region", "updated_at", "created_at", "id"]
    op.create_index("findings_by_creation", "findings", ["created_at", "id", *_OFTEN_ASKED])
    op.create_index("findings_by_update", "findings", ["updated_at", "id", *_OFTEN_ASKED])
    op.create_index("findings_by_last_event", "findings", ["event_last_seen", "id", *_OFTEN_ASKED])
    op.create_index("findings_by_severity", "findings", ["severity", "id", "account_id", "region", "archived", "type"])
    op.create_index("findings_by_type", "findings", ["type", *asked])
    by_account = ["account_id", "region", "type", "severity", "archived", "updated_at", "created_at", "id"]
    op.create_index("findings_by_account", "findings", by_account)
    by_resource = ["account_id", "region", "resource_type", "resource_name", "severity", "archived", "updated_at"]
    op.create_index("findings_by_resource", "findings", by_resource)
