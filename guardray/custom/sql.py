"""The SQL that rules are written in: one Boolean expression over one row, confined to that row.

A condition is DuckDB's SQL over the columns of an enriched batch. Beside DuckDB's own functions there are:

- `request('path')`, `response('path')`, `additional('path')`: a value in the parameters, the response or the
  additional data of a call, as text. A path names keys with dots and elements with `[0]`: `request('items[0].toPort')`.
- `request_list('path')` and so on: all values that a path with `[*]` finds, as a list of texts; empty where there is
  none.
- `json_text(json, 'path')` and `json_list(json, 'path')`: the same of any JSON text, such as an element of a list.
- `in_network(address, '192.0.2.0/24')`: whether an IPv4 address, as text or as a number, is in a network.

What would make a rule depend on more than its row is refused when the rule is read: subqueries, aggregates, windows,
the present time, chance. So is what can make much out of little, such as `range` and `repeat`. The connection can reach
neither files nor the network, whatever a condition says.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from guardray.context.enrich import enriched_columns
from guardray.schema import EventSchema

if TYPE_CHECKING:
    import duckdb

MOST_CHARACTERS = 50_000
"""Of a condition. The longest of the public rules that were tried has a tenth of it."""

MEMORY_LIMIT = "1GB"
"""What DuckDB may take: a batch is not copied, so only what conditions make of it counts."""

MOST_NESTED = 2
"""Replacements, or functions over lists, within each other. Each may make its input many times as large, which DuckDB's
limit on memory does not count."""

TABLE = "events"

_SETTINGS = (
    "SET autoinstall_known_extensions = false",  # else an unknown function is looked for on the internet
    "SET autoload_known_extensions = false",
    f"SET memory_limit = '{MEMORY_LIMIT}'",
    "SET TimeZone = 'UTC'",
    "SET enable_external_access = false",
)

_OCTET = r"(25[0-5]|2[0-4]\d|1?\d?\d)"

_MACROS = (
    # TRY: a row whose JSON is damaged has no value there, and the other rows of the batch have theirs.
    "json_text(json, path) AS try(json_extract_string(json::VARCHAR, '$.' || path))",
    "json_list(json, path) AS coalesce(try(json_extract_string(json::VARCHAR, '$.' || path)), [])",
    rf"_octets(t) AS if(regexp_full_match(t, '{_OCTET}(\.{_OCTET}){{3}}'), split(t, '.')::BIGINT[], NULL)",
    "_number(t) AS list_reduce(_octets(t), lambda high, low: high * 256 + low)",
    "_ipv4(address) AS coalesce(try_cast(address AS BIGINT), _number(address::VARCHAR))",
    "_bits(network) AS try_cast(coalesce(nullif(split_part(network, '/', 2), ''), '32') AS INT)",
    "_in(address, start, bits) AS (_ipv4(address) >> (32 - bits)) = (_number(start) >> (32 - bits))",
    "in_network(address, network) AS _in(address, split_part(network, '/', 1), _bits(network))",
)

_JSON_COLUMNS = {"request": "api_request_data", "response": "api_response_data", "additional": "additional_data"}

_UNTOUCHED = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/"
_TOKEN = re.compile(
    rf"(?P<untouched>{_UNTOUCHED})|\b(?P<column>request|response|additional)(?P<many>_list)?\s*\(|\$(?P<name>[a-z]\w*)",
    re.DOTALL | re.IGNORECASE,
)

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


class ConditionError(ValueError):
    """A condition cannot be used, for the reason that is given. `line` is the one within the condition, from 1."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line


def connection() -> duckdb.DuckDBPyConnection:
    """A connection that sees what is registered with it, and nothing else of the machine."""
    return _database().cursor()


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """One database in memory a process, since making one takes longer than most questions to it."""
    import duckdb

    made = duckdb.connect(":memory:", config={"threads": 1})  # rows keep their order, and cores stay with their worker
    for statement in (*_SETTINGS, *(f"CREATE MACRO {macro}" for macro in _MACROS), "SET lock_configuration = true"):
        made.execute(statement)
    return made


def arrow(frame: pl.DataFrame) -> Any:
    """The batch as DuckDB reads it, with polars' texts as they are, uncopied."""
    return frame.to_arrow(compat_level=pl.CompatLevel.newest())


def expand(condition: str, tunables: Mapping[str, float] | None = None) -> str:
    """The condition with the value of each `$tunable` and with the columns that `request` and its like read.

    Raises:
        ConditionError: a tunable is unknown.
    """
    values = tunables or {}

    def replaced(match: re.Match[str]) -> str:
        if match["untouched"]:
            return match[0]
        if match["column"]:
            return f"json_{'list' if match['many'] else 'text'}({_JSON_COLUMNS[match['column'].lower()]}, "
        if match["name"] not in values:
            known, line = ", ".join(values) or "it has none", condition.count("\n", 0, match.start()) + 1
            raise ConditionError(f"${match['name']} is not one of the rule's tunables ({known})", line)
        return repr(values[match["name"]])

    return _TOKEN.sub(replaced, condition)


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


def first_line(error: Exception) -> str:
    """What an error of DuckDB says with the columns that it proposes, on one line, without the statement."""
    text = str(error).partition("\n\nLINE ")[0]
    return " ".join(text.split())


@cache
def _checker() -> duckdb.DuckDBPyConnection:
    return connection()


@cache
def _refused_functions() -> frozenset[str]:
    rows = _checker().execute("SELECT function_name FROM duckdb_functions() WHERE stability = 'VOLATILE'").fetchall()
    return _REFUSED_FUNCTIONS | {name for (name,) in rows}
