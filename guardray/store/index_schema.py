"""Tables that find and count findings: narrow rows to look through, values that an index finds, and totals.

They say nothing that the findings do not, and are written with them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    TypeDecorator,
)

from guardray.store.schema import FINDINGS, METADATA, LogText

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_Number = BigInteger().with_variant(Integer(), "sqlite")  # SQLite names only that type the row's own number

DAY_US = 86_400_000_000


class Instant(TypeDecorator[datetime]):
    """An aware time as microseconds since 1970: a third of what SQLite takes for a time otherwise."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)


FINDING_INDEX = Table(
    "finding_index",
    METADATA,
    Column("number", _Number, primary_key=True, autoincrement=False),  # in the order in which findings came
    Column("archived", Boolean, nullable=False),
    Column("severity", Float, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("event_last_seen", Instant, nullable=False),
    Column("event_first_seen", Instant, nullable=False),
    Column("account_id", LogText, nullable=False),
    Column("region", LogText, nullable=False),
    Column("type", LogText, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("resource_type", LogText, nullable=False),
    Column("resource_name", LogText, nullable=False),
    Column("finding_id", ForeignKey(FINDINGS.c.id, ondelete="CASCADE"), nullable=False),
    Index("finding_index_by_id", "finding_id", unique=True),
    Index("finding_index_by_creation", "created_at", "number"),
    Index("finding_index_by_update", "updated_at", "number"),
    Index("finding_index_by_last_event", "event_last_seen", "number"),
    Index("finding_index_by_severity", "severity", "number"),
    Index("finding_index_by_type", "type", "severity", "archived", "region", "account_id", "updated_at"),
    Index("finding_index_by_account", "account_id", "region", "severity", "archived", "updated_at"),
    Index(
        "finding_index_by_resource",
        *("account_id", "resource_type", "resource_name", "region", "severity", "archived", "updated_at"),
    ),
)
"""What findings are searched, ordered and counted by. A row of `findings` is ten times as large.

To look through all of a million rows takes a tenth of a second, so that no question is ever slower than that. The
columns that are asked for most come first, since SQLite reads a row from its beginning.
"""

FINDING_TERMS = Table(
    "finding_terms",
    METADATA,
    Column("number", _Number, primary_key=True, autoincrement=False),
    Column("term", Text, nullable=False),  # an attribute and a value, as criteria.tokens writes them
    Index("finding_terms_by_term", "term", unique=True),
)
"""Numbers of the values that some finding has or had."""

FINDING_VALUES = Table(
    "finding_values",
    METADATA,
    Column("term", _Number, primary_key=True, autoincrement=False),
    Column("finding", _Number, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
"""Numbers of the findings that have a value. They refer to nothing by key, as an index for that would be as large."""


def _totals(name: str, *keys: Column[Any]) -> Table:
    return Table(
        name,
        METADATA,
        *keys,
        Column("total", BigInteger, nullable=False),
        Column("last", Instant, nullable=False),  # the latest update
        sqlite_with_rowid=False,
    )


TYPE_TOTALS = _totals(
    "finding_type_totals",
    Column("type", LogText, primary_key=True),
    Column("severity", Float, primary_key=True, autoincrement=False),
    Column("archived", Boolean, primary_key=True),
    Column("region", LogText, primary_key=True),
    Column("account_id", LogText, primary_key=True),
)
"""How many findings there are of a type and a severity."""

DAY_TOTALS = _totals(
    "finding_day_totals",
    Column("day", Integer, primary_key=True, autoincrement=False),  # of the last update, since 1970
    Column("severity", Float, primary_key=True, autoincrement=False),
    Column("archived", Boolean, primary_key=True),
    Column("region", LogText, primary_key=True),
    Column("account_id", LogText, primary_key=True),
)
"""How many findings there are of a day and a severity."""

RESOURCE_TOTALS = _totals(
    "finding_resource_totals",
    Column("with_archived", Boolean, primary_key=True),  # true: of all findings, false: of the current ones
    Column("region", LogText, primary_key=True),  # empty: of all Regions
    Column("account_id", LogText, primary_key=True),
    Column("resource_type", LogText, primary_key=True),
    Column("resource_name", LogText, primary_key=True),
)
"""How many findings there are of a resource. There are many of them, so that whole totals are kept to order them by."""

Index(
    "finding_resource_totals_by_total",
    *(RESOURCE_TOTALS.c[name] for name in ("with_archived", "region", "total")),
    *(RESOURCE_TOTALS.c[name] for name in ("account_id", "resource_type", "resource_name")),
)
