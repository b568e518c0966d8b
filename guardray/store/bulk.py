"""Many rows in one statement, by the driver itself: SQLAlchemy takes longer for each row than a database does.

SQLite is given a statement and its rows one by one; PostgreSQL a column at a time, as arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, Dialect, Table, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

Rows = Sequence[Sequence[Any]]
"""Rows of values in the order of some columns."""


def insert_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Rows, conflict: str = "") -> None:
    """Insert rows, in the open transaction.

    Args:
        columns: the names that the values of a row are for.
        conflict: what to do with rows that are there, as SQL after the rows.
    """
    names = ", ".join(columns)
    source = f"VALUES ({', '.join('?' * len(columns))})" if _is_sqlite(connection) else "SELECT * FROM {rows}"
    _run(connection, f"INSERT INTO {table.name} ({names}) {source} {conflict}", table, columns, rows)


def update_rows(connection: Connection, table: Table, key: str, columns: Sequence[str], rows: Rows) -> None:
    """Set columns of rows that a key names: the values of a row are those of the columns, and last the key."""
    named = (*columns, key)
    if _is_sqlite(connection):
        sql = f"UPDATE {table.name} SET {', '.join(f'{name} = ?' for name in columns)} WHERE {key} = ?"
    else:
        values = ", ".join(f"{name} = given.{name}" for name in columns)
        sql = f"UPDATE {table.name} SET {values} FROM {{rows}} WHERE {table.name}.{key} = given.{key}"
    _run(connection, sql, table, named, rows)


def delete_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Rows, also: str = "") -> None:
    """Delete the rows that have these values, in the open transaction.

    Args:
        also: a further condition in SQL, with `AND` before it.
    """
    sql = f"DELETE FROM {table.name}{'' if _is_sqlite(connection) else ' USING {rows}'} WHERE "
    _run(connection, f"{sql}{same(connection, table, columns)} {also}", table, columns, rows)


def touch_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Rows, change: str) -> None:
    """Change the rows that have these values, in the open transaction.

    Args:
        change: what to set, in SQL that names columns with their tables.
    """
    source = "" if _is_sqlite(connection) else " FROM {rows}"
    sql = f"UPDATE {table.name} SET {change}{source} WHERE {same(connection, table, columns)}"
    _run(connection, sql, table, columns, rows)


def same(connection: Connection, table: Table, columns: Sequence[str]) -> str:
    """The condition that a row of a table is the given one, in SQL."""
    sqlite = _is_sqlite(connection)
    return " AND ".join(f"{table.name}.{name} = {'?' if sqlite else f'given.{name}'}" for name in columns)


def among(connection: Connection, column: Column[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """The condition that a column has one of many values, numbers or texts, as one parameter."""
    if _is_sqlite(connection):
        listed = func.json_each(_json_list(values)).table_valued("value")
        return column.in_(select(listed.c.value))
    return column == any_(literal(list(values), ARRAY(column.type)))


def _json_list(values: Sequence[Any]) -> str:
    return msgspec.json.encode(list(values)).decode()


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _run(connection: Connection, sql: str, table: Table, columns: Sequence[str], rows: Rows) -> None:
    if not rows:
        return
    dialect = connection.dialect
    types = [table.c[name].type.dialect_impl(dialect) for name in columns]
    written: list[Callable[[Any], Any] | None] = [type_.bind_processor(dialect) for type_ in types]
    if _is_sqlite(connection):
        connection.exec_driver_sql(sql, _converted(rows, written))
        return
    # As bytes: in a text of an array, the driver would put a backslash before each quote of our JSON, one by one.
    given = ", ".join(f"CAST(%b AS {_type_name(table.c[name], dialect)}[])" for name in columns)
    source = f"unnest({given}) AS given ({', '.join(columns)})"
    by_column = zip(*rows, strict=True)
    arrays = tuple(
        list(values) if convert is None else [convert(value) for value in values]
        for values, convert in zip(by_column, written, strict=True)
    )
    connection.exec_driver_sql(sql.replace("{rows}", source), arrays)


def _converted(rows: Rows, written: Sequence[Callable[[Any], Any] | None]) -> list[Any]:
    converting = [(place, convert) for place, convert in enumerate(written) if convert is not None]
    if not converting:
        return list(rows)
    converted = [list(row) for row in rows]
    for place, convert in converting:
        for row in converted:
            row[place] = convert(row[place])
    return [tuple(row) for row in converted]


def _type_name(column: Column[Any], dialect: Dialect) -> str:
    return column.type.compile(dialect)
