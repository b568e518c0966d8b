"""Indexes that hold what questions about findings ask, their values by attribute, and what people thought of them."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from alembic import op

from guardray.store.finding_values import note_values

revision = "0006"
down_revision = "0005"

_OFTEN_ASKED = ["account_id", "region", "archived", "severity", "type"]
_ROWS_A_STEP = 1000


def upgrade() -> None:
    # As it is: a table that SQLite has to copy would take what hangs on it along.
    op.add_column("findings", sa.Column("user_feedback", sa.String(10), nullable=True))
    op.create_table(
        "finding_values",
        sa.Column("attribute", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("value", sa.String, primary_key=True),
        sa.Column("finding_id", sa.String(32), sa.ForeignKey("findings.id", ondelete="CASCADE"), primary_key=True),
        sqlite_with_rowid=False,
    )
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
    _fill()


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


def _fill() -> None:
    """The values of the findings that are there, in steps, as there may be many."""
    connection = op.get_bind()
    findings = sa.table("findings", sa.column("id", sa.String), sa.column("json", sa.Text))
    step = sa.select(findings).where(findings.c.id > sa.bindparam("after")).order_by(findings.c.id).limit(_ROWS_A_STEP)
    after = ""
    while rows := connection.execute(step, {"after": after}).all():
        note_values(connection, ((None, msgspec.json.decode(row.json)) for row in rows))
        after = rows[-1].id
