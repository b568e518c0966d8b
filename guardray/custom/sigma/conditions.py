"""Sigma's condition trees to SQL. Texts are compared without case, unless a rule says `cased` or uses an expression.

pySigma's classes are told by their names, so that only reading a rule imports it, which takes a third of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from guardray.custom.sigma.fields import SEARCHED, Field, field_of, literal
from guardray.custom.sql import ConditionError


def sql_of(node: Any) -> str:
    """The SQL of a parsed condition, never null.

    Raises:
        ConditionError: it uses what cannot be said of one row of ours.
    """
    match _kind(node):
        case "ConditionAND":
            return f"({' AND '.join(map(sql_of, node.args))})"
        case "ConditionOR":
            return f"({' OR '.join(map(sql_of, node.args))})"
        case "ConditionNOT":
            return f"(NOT {sql_of(node.args[0])})"
        case "ConditionFieldEqualsValueExpression":
            return _of_field(field_of(node.field), node.value)
        case "ConditionValueExpression":
            return _of_keyword(node.value)
    raise ConditionError(f"{_kind(node)} in conditions is not supported")


def operations_of(node: Any) -> frozenset[str] | None:
    """The API operations, in lower case, one of which every row of the condition has; None where that is not said."""
    match _kind(node):
        case "ConditionAND":
            told = [names for arg in node.args if (names := operations_of(arg)) is not None]
            return min(told, key=len, default=None)
        case "ConditionOR":
            told = [names for arg in node.args if (names := operations_of(arg)) is not None]
            return frozenset[str]().union(*told) if len(told) == len(node.args) else None
        case "ConditionFieldEqualsValueExpression" if node.field == "eventName" and _kind(node.value) == "SigmaString":
            return None if node.value.contains_special() else frozenset([_plain(node.value).lower()])
    return None


def _kind(value: Any) -> str:
    return type(value).__name__


def _of_field(field: Field, value: Any) -> str:
    if field.text is not None:
        return _of_text(field.text, value)
    if _kind(value) == "SigmaNull" or (_kind(value) == "SigmaExists" and not value.exists):
        return f"(len(list_filter({field.values}, lambda v: v IS NOT NULL)) = 0)"
    return f"(len(list_filter({field.values}, lambda v: {_of_text('v', value)})) > 0)"


def _of_keyword(value: Any) -> str:
    """A value of no field is looked for anywhere in the record's texts."""
    if _kind(value) not in ("SigmaString", "SigmaNumber"):
        raise ConditionError(f"keywords of the kind {_kind(value)} are not supported")
    text = str(value.number) if _kind(value) == "SigmaNumber" else None
    pattern = f"%{_escaped(text)}%" if text is not None else f"%{_pattern(value)}%"
    return f"coalesce(lower({SEARCHED}) LIKE {literal(pattern.lower())} ESCAPE '!', false)"


def _of_text(text: str, value: Any) -> str:
    if _kind(value) == "SigmaExpansion":
        return f"({' OR '.join(_of_text(text, one) for one in value.values)})"
    made = _LEAVES.get(_kind(value))
    if made is None:
        raise ConditionError(f"values of the kind {_kind(value)} are not supported")
    return f"coalesce({made(text, value)}, false)"


def _string(text: str, value: Any) -> str:
    return _compared(f"lower({text})", value, str.lower)


def _cased_string(text: str, value: Any) -> str:
    return _compared(text, value, str)


def _compared(text: str, value: Any, cased: Callable[[str], str]) -> str:
    if not value.contains_special():
        return f"{text} = {literal(cased(_plain(value)))}"
    return f"{text} LIKE {literal(cased(_pattern(value)))} ESCAPE '!'"


def _plain(value: Any) -> str:
    return "".join(part if isinstance(part, str) else _wildcard(part) for part in value.s)


def _pattern(value: Any) -> str:
    """The pattern of LIKE for a text with wildcards."""
    return "".join(_escaped(part) if isinstance(part, str) else _wildcard(part) for part in value.s)


def _wildcard(part: Any) -> str:
    names = {"WILDCARD_MULTI": "%", "WILDCARD_SINGLE": "_"}
    name = getattr(part, "name", "")
    if name not in names:
        raise ConditionError(f"the placeholder %{name}% has no value here")
    return names[name]


def _escaped(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _regular_expression(text: str, value: Any) -> str:
    flags = "".join(sorted(value.sigma_to_re_flag[flag] for flag in value.flags))
    return f"regexp_matches({text}, {literal(value.to_plain())}, {literal(flags or 'c')})"


def _network(text: str, value: Any) -> str:
    if value.network.version == 4:
        return f"in_network({text}, {literal(str(value.network))})"
    # Of IPv6, pySigma says which texts the addresses of the network begin with.
    patterns = (pattern.lower().replace("*", "%").replace("?", "_") for pattern in value.expand("*"))
    return " OR ".join(f"lower({text}) LIKE {literal(pattern)}" for pattern in patterns)


def _comparison(text: str, value: Any) -> str:
    operator = {"LT": "<", "LTE": "<=", "GT": ">", "GTE": ">=", "NEQ": "<>"}[value.op.name]
    return f"try_cast({text} AS DOUBLE) {operator} {value.number.number}"


def _other_field(text: str, value: Any) -> str:
    other = field_of(value.field)
    is_like = "starts_with" if value.starts_with else "ends_with" if value.ends_with else None
    compared = (f"{is_like}(lower({text}), lower({{}}))" if is_like else f"lower({text}) = lower({{}})").format
    if other.text is not None:
        return compared(other.text)
    return f"len(list_filter({other.values}, lambda w: {compared('w')})) > 0"


_LEAVES: Mapping[str, Callable[[str, Any], str]] = {
    "SigmaString": _string,
    "SigmaCasedString": _cased_string,
    "SigmaBool": lambda text, value: f"lower({text}) = '{str(value.boolean).lower()}'",
    "SigmaNumber": lambda text, value: f"try_cast({text} AS DOUBLE) = {value.number}",
    "SigmaNull": lambda text, _: f"{text} IS NULL",
    "SigmaExists": lambda text, value: f"{text} IS {'NOT ' if value.exists else ''}NULL",
    "SigmaRegularExpression": _regular_expression,
    "SigmaCIDRExpression": _network,
    "SigmaCompareExpression": _comparison,
    "SigmaFieldReference": _other_field,
}
