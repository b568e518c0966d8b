"""Findings, their evidence, the epochs that were committed, and who may write."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _create_findings()
    op.create_table(
        "evidence",
        sa.Column("finding_id", sa.String(32), sa.ForeignKey("findings.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("time", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("digest", sa.BigInteger, primary_key=True),
        sa.Column("row", sa.Text, nullable=False),
    )
    op.create_table(
        "epochs",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("fence", sa.BigInteger, nullable=True),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created", sa.Integer, nullable=False),
        sa.Column("updated", sa.Integer, nullable=False),
    )
    op.create_table(
        "writer",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
    )


def _create_findings() -> None:
    op.create_table(
        "findings",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("account_id", sa.String, nullable=False),
        sa.Column("region", sa.String, nullable=False),
        sa.Column("detector_id", sa.String(32), nullable=False),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("severity", sa.Float, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("event_first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("archived", sa.Boolean, nullable=False),
        sa.Column("resource_type", sa.String, nullable=False),
        sa.Column("resource_name", sa.String, nullable=False),
        sa.Column("json", sa.Text, nullable=False),
    )
    op.create_index("findings_by_urgency", "findings", ["severity", "event_last_seen"])
    op.create_index("findings_by_detector", "findings", ["detector_id", "updated_at"])
    op.create_index("findings_by_type", "findings", ["type"])
