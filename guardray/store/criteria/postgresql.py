"""A condition on the JSON of findings for PostgreSQL, where no column and no index knows it."""

from __future__ import annotations

from itertools import count
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Double,
    String,
    TextClause,
    bindparam,
    literal_column,
    select,
    text,
)

from guardray.findings.wire import time_text
from guardray.store.criteria.conditions import (
    LARGEST,
    Condition,
    Operand,
    clean,
    limited,
    time_of_milliseconds,
)

_COMPARISONS = {"greaterThan": ">", "greaterThanOrEqual": ">=", "lessThan": "<", "lessThanOrEqual": "<="}
_NUMBER = f"CAST(LEAST(GREATEST(CAST(v AS numeric), -{LARGEST:.0f}), {LARGEST:.0f}) AS double precision)"
_TIME = "'^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{3})?Z$'"
_COMPARABLE = f"CASE WHEN length(s) = 20 AND s ~ {_TIME} THEN left(s, 19) || '.000Z' ELSE s END"

# A lax path goes through lists, as the evaluation does. JSON of logs may hold NUL, which jsonb refuses.
_VALUES = r"""jsonb_path_query(
CAST(replace(findings.json, '\u0000', '\ufffd') AS jsonb), CAST({path} AS jsonpath)
) AS v, LATERAL (SELECT v #>> '{}' AS s) AS shown"""
_IS_TRUE = (
    "CASE jsonb_typeof(v) WHEN 'string' THEN {string} WHEN 'number' THEN {number} WHEN 'boolean' THEN {truth} END"
)

_numbers = count()


def json_condition(condition: Condition) -> ColumnElement[bool]:
    """The condition, without its negation."""
    match condition.positive:
        case "equals":
            return _equals(condition)
        case "matches":
            return _matches(condition)
        case _:
            return _compares(condition)


def like_pattern(pattern: str) -> str:
    """A pattern with `*` and `?` for LIKE."""
    escaped = clean(pattern).replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return escaped.replace("*", "%").replace("?", "_")


def json_path(attribute: str) -> str:
    """The attribute as a JSON path: names of members in quotes, the elements of lists at its end."""
    members = [msgspec.json.encode(segment).decode() for segment in attribute.split(".")]
    return f"lax ${''.join(f'.{member}' for member in members)}[*]"


def _equals(condition: Condition) -> ColumnElement[bool]:
    operands = [Operand.of(text) for text in condition.operands]
    texts = sorted({text for operand in operands for text in operand.texts})
    numbers = sorted({operand.number for operand in operands if operand.number is not None})
    truths = sorted({operand.truth for operand in operands if operand.truth is not None})
    return _exists(
        condition,
        string=f"({_COMPARABLE}) = ANY({{texts}})",
        number=f"{_NUMBER} = ANY({{numbers}})",
        truth="CAST(s AS boolean) = ANY({truths})",
        parameters={
            "texts": (texts, ARRAY(String)),
            "numbers": (numbers, ARRAY(Double)),
            "truths": (truths, ARRAY(Boolean)),
        },
    )


def _matches(condition: Condition) -> ColumnElement[bool]:
    patterns = [like_pattern(pattern) for pattern in condition.operands]
    is_whole = "CAST(v AS numeric) = trunc(CAST(v AS numeric)) AND abs(CAST(v AS numeric)) < 1e15"
    return _exists(
        condition,
        string="s LIKE ANY({patterns})",
        number=f"{is_whole} AND CAST(trunc(CAST(v AS numeric)) AS text) LIKE ANY({{patterns}})",
        truth="s LIKE ANY({patterns})",
        parameters={"patterns": (patterns, ARRAY(String))},
    )


def _compares(condition: Condition) -> ColumnElement[bool]:
    sign = _COMPARISONS[condition.operator]
    digits = f"WHEN s ~ '^[0-9]{{1,15}}$' THEN CAST(s AS double precision) {sign} {{bound}}"
    time = f'WHEN s ~ {_TIME} THEN ({_COMPARABLE}) COLLATE "C" {sign} {{time}}'
    return _exists(
        condition,
        string=f"CASE {digits} {time} END",
        number=f"{_NUMBER} {sign} {{bound}}",
        truth="FALSE",
        parameters={
            "bound": (limited(condition.bound), Double()),
            "time": (time_text(time_of_milliseconds(condition.bound)), String()),
        },
    )


def _exists(
    condition: Condition, *, string: str, number: str, truth: str, parameters: dict[str, tuple[Any, Any]]
) -> ColumnElement[bool]:
    """The three parts name parameters in braces; each gets a name that no other condition of the statement has."""
    serial = next(_numbers)
    is_true = _IS_TRUE.replace("{string}", string).replace("{number}", number).replace("{truth}", truth)
    values = _named(_VALUES, {"path": (json_path(condition.attribute), String())}, serial)
    return select(literal_column("1")).select_from(values).where(_named(is_true, parameters, serial)).exists()


def _named(sql: str, parameters: dict[str, tuple[Any, Any]], serial: int) -> TextClause:
    for name in parameters:
        sql = sql.replace(f"{{{name}}}", f":{name}_{serial}")
    return text(sql).bindparams(
        *(bindparam(f"{name}_{serial}", value, type_) for name, (value, type_) in parameters.items())
    )
