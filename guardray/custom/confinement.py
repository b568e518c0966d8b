"""Whether a condition is confined to one expression over one row, before it is ever run.

What would make a rule depend on more than its row is refused: subqueries, aggregates, windows, the present time,
chance. So is what can make much out of little, such as `range`, `repeat` and replacements within replacements.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from guardray.context.enrich import enriched_columns
from guardray.custom.sql import ConditionError, arrow, connection, first_line
from guardray.schema import EventSchema

if TYPE_CHECKING:
    import duckdb

MOST_CHARACTERS = 50_000
"""Of a condition. The longest of the public rules that were tried has a tenth of it."""

MOST_NESTED = 2
"""Replacements, or functions over lists, within each other. Each may make its input many times as large, which DuckDB's
limit on memory does not count."""

# fmt: off
_WITHOUT_BRACKETS = frozenset((
    "current_date", "current_time", "current_timestamp", "current_localtime", "current_localtimestamp", "localtime",
    "localtimestamp",
))
"""Functions that may be written as columns are, all of the present."""

_REFUSED_FUNCTIONS = _WITHOUT_BRACKETS | frozenset((
    # Of the present, not of the row.
    "now", "today", "age", "get_current_time", "get_current_timestamp", "transaction_timestamp", "txid_current",
    "current_transaction_id",
    # Of the session.
    "current_setting", "getvariable", "current_query", "current_query_id", "current_connection_id", "current_database",
    "current_schema", "current_schemas", "current_catalog", "current_role", "current_user", "session_user", "user",
    "currval", "in_search_path",
    # Much from little.
    "range", "generate_series", "repeat", "lpad", "rpad", "bar", "list_resize", "array_resize",
    "format", "printf", "bitstring",
))
# fmt: on
"""Besides those that DuckDB calls volatile."""

_REPLACING = ("replace", "regexp_replace")

_REFUSED_NODES = {
    "SUBQUERY": "a condition looks at one row: it cannot have a SELECT of its own",
    "WINDOW": "a condition looks at one row: it cannot have window functions",
    "PARAMETER": "there is no value for a parameter: declare it under `tunables` and write $name",
    "STAR": "a condition names its columns: it cannot have * or COLUMNS",
}


def check(condition: str, schema: EventSchema) -> None:
    """Whether an expanded condition can be used for rows of the schema.

    Raises:
        ConditionError: it cannot.
    """
    if len(condition) > MOST_CHARACTERS:
        raise ConditionError(f"the condition has {len(condition):,} characters; {MOST_CHARACTERS:,} are allowed")
    tree = _parsed(condition)
    for what, names in {"replacements": _REPLACING, "functions over lists": ("LAMBDA",)}.items():
        if _nested(tree, names) > MOST_NESTED:
            raise ConditionError(f"there are more than {MOST_NESTED} {what} within each other")
    for node in _nodes(tree):
        kind = node.get("class")
        if kind in _REFUSED_NODES:
            raise ConditionError(_REFUSED_NODES[kind])
        if kind == "FUNCTION" and (name := node["function_name"].lower()) in _refused_functions():
            raise ConditionError(f"{name} cannot be used in a condition")
        if kind == "COLUMN_REF" and (name := node["column_names"][-1].lower()) in _WITHOUT_BRACKETS:
            raise ConditionError(f"{name} cannot be used in a condition")
    _bind(condition, schema)


def _parsed(condition: str) -> Any:
    """The syntax tree of the one expression that the text is."""
    prefix = "SELECT (\n"
    ((answer,),) = _checker().execute("SELECT json_serialize_sql(?)", [f"{prefix}{condition}\n)"]).fetchall()
    parsed = msgspec.json.decode(answer)
    if parsed.get("error"):
        before = condition.encode()[: max(0, int(parsed.get("position", 0)) - len(prefix))]
        raise ConditionError(f"not SQL: {parsed['error_message']}", before.count(b"\n") + 1)
    statements = parsed["statements"]
    # A text that closes our bracket and goes on has more to it than one expression.
    if len(statements) != 1 or not _is_expression(statements[0]["node"]):
        raise ConditionError("a condition is one expression, such as api_operation = 'CreateUser', not a statement")
    return statements[0]["node"]["select_list"]


def _is_expression(node: Mapping[str, Any]) -> bool:
    allowed = ("type", "select_list", "from_table", "aggregate_handling")
    rest = [value for name, value in node.items() if name not in allowed]
    is_bare = all(value in (None, [], {"map": []}) for value in rest)
    return is_bare and len(node["select_list"]) == 1 and node["from_table"]["type"] == "EMPTY"


def _nodes(tree: Any) -> Iterator[Mapping[str, Any]]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _nested(tree: Any, names: Collection[str]) -> int:
    """How many functions or classes of nodes of these names are within each other at the most."""
    deepest, waiting = 0, [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        if isinstance(node, Mapping):
            depth += node.get("class") in names or node.get("function_name") in names
            deepest = max(deepest, depth)
            waiting += [(child, depth) for child in node.values()]
        elif isinstance(node, list):
            waiting += [(child, depth) for child in node]
    return deepest


def _bind(condition: str, schema: EventSchema) -> None:
    import duckdb

    # WHERE, since aggregates are refused there.
    statement = f"DESCRIBE SELECT (\n{condition}\n) AS c FROM {_empty_table(schema)} WHERE (\n{condition}\n)"
    try:
        ((_, kind, *_),) = _checker().execute(statement).fetchall()
    except duckdb.Error as error:
        raise ConditionError(first_line(error)) from None
    if kind != "BOOLEAN":
        raise ConditionError(f"the condition is of type {kind}: it must be true or false")


@cache
def _empty_table(schema: EventSchema) -> str:
    """The name of a table with the columns of an enriched batch and no rows."""
    _checker().register(schema.name, arrow(pl.DataFrame(schema=enriched_columns(schema))))
    return schema.name


@cache
def _checker() -> duckdb.DuckDBPyConnection:
    return connection()


@cache
def _refused_functions() -> frozenset[str]:
    rows = _checker().execute("SELECT function_name FROM duckdb_functions() WHERE stability = 'VOLATILE'").fetchall()
    return _REFUSED_FUNCTIONS | {name for (name,) in rows}
