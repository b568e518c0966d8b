"""With which definition of an activity a table of its rows or habits was made: kept in the table's metadata."""

from __future__ import annotations

import pyarrow as pa

from guardray.detectors.activity import Activity

_KEY = b"guardray.definition"


def defined(table: pa.Table, activity: Activity) -> pa.Table:
    """The table, which tells that it was made with this definition."""
    return table.replace_schema_metadata({**(table.schema.metadata or {}), _KEY: activity.definition.encode()})


def definition_of(table: pa.Table) -> str | None:
    """The definition that a table was made with; None where it does not tell."""
    told = (table.schema.metadata or {}).get(_KEY)
    return None if told is None else told.decode()


def is_defined_otherwise(table: pa.Table, activity: Activity) -> bool:
    """Whether the table tells of another definition. One that tells of none was made before tables did."""
    return definition_of(table) not in (None, activity.definition)
