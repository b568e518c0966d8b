"""Narrow rows and totals that find and count findings, in place of indexes of the findings themselves."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

from guardray.store.indexing import index_new
from guardray.store.schema import FINDINGS

revision = "0011"
down_revision = "0010"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ROWS_A_STEP = 5000


def upgrade() -> None:
    for name in ("creation", "update", "last_event", "severity", "type", "account", "resource"):
        op.drop_index(f"findings_by_{name}", "findings")
    op.drop_table("finding_values")
    _create_index()
    _create_values()
    _create_totals()
    _fill()


def _create_index() -> None:
    op.create_table(
        "finding_index",
        sa.Column("number", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("archived", sa.Boolean, nullable=False),
        sa.Column("severity", sa.Float, nullable=False),
        *(
            sa.Column(name, sa.BigInteger, nullable=False)
            for name in ("created_at", "updated_at", "event_last_seen", "event_first_seen")
        ),
        *(sa.Column(name, sa.String, nullable=False) for name in ("account_id", "region", "type")),
        sa.Column("count", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.String, nullable=False) for name in ("resource_type", "resource_name")),
        sa.Column("finding_id", sa.String(32), sa.ForeignKey("findings.id", ondelete="CASCADE"), nullable=False),
    )
    op.create_index("finding_index_by_id", "finding_index", ["finding_id"], unique=True)
    op.create_index("finding_index_by_creation", "finding_index", ["created_at", "number"])
    op.create_index("finding_index_by_update", "finding_index", ["updated_at", "number"])
    op.create_index("finding_index_by_last_event", "finding_index", ["event_last_seen", "number"])
    op.create_index("finding_index_by_severity", "finding_index", ["severity", "number"])
    by_type = ["type", "severity", "archived", "region", "account_id", "updated_at"]
    op.create_index("finding_index_by_type", "finding_index", by_type)
    by_account = ["account_id", "region", "severity", "archived", "updated_at"]
    op.create_index("finding_index_by_account", "finding_index", by_account)
    by_resource = ["account_id", "resource_type", "resource_name", "region", "severity", "archived", "updated_at"]
    op.create_index("finding_index_by_resource", "finding_index", by_resource)


def _create_values() -> None:
    op.create_table(
        "finding_terms",
        sa.Column("number", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("term", sa.Text, nullable=False),
    )
    op.create_index("finding_terms_by_term", "finding_terms", ["term"], unique=True)
    op.create_table(
        "finding_values",
        sa.Column("term", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("finding", _NUMBER, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )


def _create_totals() -> None:
    severity = sa.Column("severity", sa.Float, primary_key=True, autoincrement=False)
    kind = (severity, sa.Column("archived", sa.Boolean, primary_key=True), *_texts("region", "account_id"))
    _create_total("finding_type_totals", *_texts("type"), *kind)
    day = sa.Column("day", sa.Integer, primary_key=True, autoincrement=False)
    _create_total("finding_day_totals", day, *(column._copy() for column in kind))
    with_archived = sa.Column("with_archived", sa.Boolean, primary_key=True)
    resource = _texts("region", "account_id", "resource_type", "resource_name")
    _create_total("finding_resource_totals", with_archived, *resource)
    by_total = ["with_archived", "region", "total", "account_id", "resource_type", "resource_name"]
    op.create_index("finding_resource_totals_by_total", "finding_resource_totals", by_total)


def _texts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.String, primary_key=True) for name in names]


def _create_total(name: str, *keys: sa.Column[Any]) -> None:
    total = sa.Column("total", sa.BigInteger, nullable=False)
    last = sa.Column("last", sa.BigInteger, nullable=False)
    op.create_table(name, *keys, total, last, sqlite_with_rowid=False)


def _fill() -> None:
    """From the findings that are there, in steps, as there may be many."""
    connection = op.get_bind()
    step = sa.select(FINDINGS).where(FINDINGS.c.id > sa.bindparam("after")).order_by(FINDINGS.c.id).limit(_ROWS_A_STEP)
    after = ""
    while rows := connection.execute(step, {"after": after}).mappings().all():
        index_new(connection, [(row, msgspec.json.decode(row["json"])) for row in rows])
        after = rows[-1]["id"]
