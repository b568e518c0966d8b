"""What the API keeps: detectors, what belongs to them, tags, members and the organisation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    _detectors()
    _resources()
    op.create_table(
        "api_tags",
        sa.Column("arn", sa.String, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("value", sa.String, nullable=False),
    )
    _members()
    op.create_table(
        "api_organisation",
        sa.Column("region", sa.String, primary_key=True),
        sa.Column("administrator_id", sa.String(12), nullable=False),
        sa.Column("auto_enable", sa.String(10), nullable=False),
        sa.Column("features", sa.Text, nullable=False),
    )


def _detectors() -> None:
    op.create_table(
        "api_detectors",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("account_id", sa.String(12), nullable=False),
        sa.Column("region", sa.String, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("publishing_frequency", sa.String(20), nullable=False),
        sa.Column("features", sa.Text, nullable=False),
        sa.Column("client_token", sa.String, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("account_id", "region", name="api_detectors_one_a_region"),
    )


def _resources() -> None:
    op.create_table(
        "api_resources",
        sa.Column("account_id", sa.String(12), primary_key=True),
        sa.Column("region", sa.String, primary_key=True),
        sa.Column("kind", sa.String(40), primary_key=True),
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("status", sa.String(60), nullable=True),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("client_token", sa.String, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("account_id", "region", "kind", "name", name="api_resources_by_name"),
    )
    op.create_index("api_resources_by_status", "api_resources", ["kind", "status"])


def _members() -> None:
    op.create_table(
        "api_members",
        sa.Column("region", sa.String, primary_key=True),
        sa.Column("administrator_id", sa.String(12), primary_key=True),
        sa.Column("account_id", sa.String(12), primary_key=True),
        sa.Column("email", sa.String, nullable=False),
        sa.Column("status", sa.String(30), nullable=False),
        sa.Column("invitation_id", sa.String(32), nullable=True),
        sa.Column("invited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("of_organisation", sa.Boolean, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("api_members_by_account", "api_members", ["account_id", "region"])
