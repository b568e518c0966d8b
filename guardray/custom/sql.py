"""The SQL that rules are written in: one Boolean expression over one row, confined to that row.

A condition is DuckDB's SQL over the columns of an enriched batch. Beside DuckDB's own functions there are:

- `request('path')`, `response('path')`, `additional('path')`: a value in the parameters, the response or the
  additional data of a call, as text. A path names keys with dots and elements with `[0]`: `request('items[0].toPort')`.
- `request_list('path')` and so on: all values that a path with `[*]` finds, as a list of texts; empty where there is
  none.
- `json_text(json, 'path')` and `json_list(json, 'path')`: the same of any JSON text, such as an element of a list.
- `in_network(address, '192.0.2.0/24')`: whether an IPv4 address, as text or as a number, is in a network.

What a condition may say is in `confinement`. Whatever it says, the connection reaches neither files nor the network.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT = "1GB"
"""What DuckDB may take for its buffers. A batch is not copied, and what expressions make of it does not count."""

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
    "_no_list(json, path) AS if(try(json_type(json::VARCHAR, '$.' || path)) = 'ARRAY', NULL, json_text(json, path))",
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


def first_line(error: Exception) -> str:
    """What an error of DuckDB says with the columns that it proposes, on one line, without the statement."""
    text = str(error).partition("\n\nLINE ")[0]
    return " ".join(text.split())
