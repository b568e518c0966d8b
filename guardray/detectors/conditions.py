"""Conditions of bucket policies: how far each narrows the circle of those who may call.

A policy that names everyone is public all the same if its conditions hold for callers that nobody chose. S3 counts a
condition as narrowing when its key tells who the caller is or from which network it comes, and its values are fixed.
Keys that a caller sets at will, such as `aws:Referer`, and keys that S3 does not list narrow nothing.

One difference: a pattern that leaves only sessions of one role, paths below one organisation or names of one account
open is fixed here, since no stranger can match it, although S3 itself takes any wildcard in it for public.

Source: Amazon S3 user guide, "The meaning of public"; IAM user guide, condition operators and global condition keys.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any


class Audience(IntEnum):
    """Who may call, from narrow to wide."""

    LIMITED = 0  # principals, networks or services that somebody chose, or nobody
    AUTHENTICATED = 1  # whoever holds credentials of any AWS account
    ANYONE = 2  # anonymous callers too


@dataclass(frozen=True)
class Condition:
    """One key of a condition block. Operator and key are in lower case."""

    operator: str
    key: str
    values: tuple[str, ...]
    if_exists: bool = False
    for_all_values: bool = False


_POSITIVE_OF = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "notipaddress": "ipaddress",
}
"""Negated operators, which also hold where the key is missing."""

_LITERAL_OPERATORS = {"stringequals", "stringequalsignorecase"}  # a star in their values is only a star
_PATTERN_OPERATORS = {"stringlike", "arnlike", "arnequals"}

_PRINCIPAL_KEYS = {
    "aws:principalarn",
    "aws:principalaccount",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "aws:userid",
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceowner",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "s3:dataaccesspointarn",
    "s3:dataaccesspointaccount",
}
"""Keys that requests without credentials lack: fixed values name somebody, anything else still asks for credentials."""

_NETWORK_KEYS = {"aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn", "aws:vpceaccount", "aws:vpceorgid"}
"""Keys that every request through a VPC endpoint has, signed or not: only fixed values narrow."""

_CREDENTIAL_KEYS = ("aws:principaltag/", "aws:username", "aws:multifactorauth", "aws:tokenissuetime")
"""Keys of signed requests that any account can give the value it likes."""

_OWNER_ENDS_AT = {"aws:userid": ":", "aws:principalorgpaths": "/", "aws:sourceorgpaths": "/"}
"""What ends the part of a value that says whose it is; for ARNs that part is the account."""

BROADEST_PREFIX = {4: 8, 6: 32}
"""Shortest prefix of a network that still counts as chosen, by IP version: S3's own bound."""


def parse_conditions(block: Any) -> tuple[Condition, ...]:
    """The conditions of a statement's `Condition` element; parts that are not of its form are left out."""
    return tuple(_conditions(block)) if isinstance(block, dict) else ()


def _conditions(block: dict[str, Any]) -> Iterator[Condition]:
    for name, keys in block.items():
        quantifier, _, operator = name.lower().rpartition(":")
        if_exists = operator.endswith("ifexists")
        for key, values in keys.items() if isinstance(keys, dict) else ():
            yield Condition(
                operator=operator.removesuffix("ifexists"),
                key=key.lower(),
                values=tuple(_text(value) for value in (values if isinstance(values, list) else [values])),
                if_exists=if_exists,
                for_all_values=quantifier == "forallvalues",
            )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def who_meets(condition: Condition) -> Audience:
    """The widest audience for which the condition can hold."""
    holds_without_key = condition.if_exists or condition.for_all_values or condition.operator in _POSITIVE_OF
    if holds_without_key:
        return Audience.ANYONE
    return max((_who_has(condition, value) for value in condition.values), default=Audience.LIMITED)


def who_escapes(condition: Condition) -> Audience:
    """The widest audience for which the condition can fail: whom a denial under it leaves alone."""
    if positive := _POSITIVE_OF.get(condition.operator):
        return who_meets(replace(condition, operator=positive, if_exists=False, for_all_values=False))
    if condition.operator in ("bool", "null"):
        turned = tuple("false" if value.lower() == "true" else "true" for value in condition.values)
        return who_meets(replace(condition, values=turned, if_exists=_fails_without_key(condition)))
    return Audience.ANYONE


def _fails_without_key(condition: Condition) -> bool:
    return condition.operator != "null" and not condition.if_exists


def _who_has(condition: Condition, value: str) -> Audience:
    """The widest audience whose requests carry this value of the key."""
    key, operator = condition.key, condition.operator
    if operator == "ipaddress" and key == "aws:sourceip":
        return Audience.LIMITED if _is_chosen_network(value) else Audience.ANYONE
    if operator in ("bool", "null"):
        return _who_has_flag(key, operator, value.lower())
    if operator not in _LITERAL_OPERATORS | _PATTERN_OPERATORS:
        return Audience.ANYONE
    if key in _PRINCIPAL_KEYS:
        return Audience.LIMITED if _is_fixed(condition, value) else Audience.AUTHENTICATED
    if key in _NETWORK_KEYS:
        return Audience.LIMITED if _is_fixed(condition, value) else Audience.ANYONE
    return Audience.AUTHENTICATED if key.startswith(_CREDENTIAL_KEYS) else Audience.ANYONE


def _who_has_flag(key: str, operator: str, value: str) -> Audience:
    if operator == "null":
        is_present = value == "false"
        needs_credentials = key in _PRINCIPAL_KEYS or key.startswith(_CREDENTIAL_KEYS)
        return Audience.AUTHENTICATED if is_present and needs_credentials else Audience.ANYONE
    if value != "true":
        return Audience.ANYONE
    if key == "aws:principalisawsservice":
        return Audience.LIMITED
    return Audience.AUTHENTICATED if key in ("aws:viaawsservice", "aws:multifactorauthpresent") else Audience.ANYONE


def _is_fixed(condition: Condition, value: str) -> bool:
    """Whether only somebody in particular has such a value."""
    if "${" in value:
        return False
    if condition.operator in _LITERAL_OPERATORS:
        return True
    return not _has_wildcard(_owner(condition.key, value))


def _owner(key: str, value: str) -> str:
    """The part of a value that says whose it is; the whole value where there is no such part."""
    if value.startswith("arn:"):
        fields = value.split(":")
        has_account = len(fields) > 5 and fields[4]
        return fields[4] if has_account else value
    return value.split(_OWNER_ENDS_AT[key], 1)[0] if key in _OWNER_ENDS_AT else value


def _has_wildcard(text: str) -> bool:
    return "*" in text or "?" in text


def _is_chosen_network(cidr: str) -> bool:
    try:
        network = ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return True  # matches no address
    return network.prefixlen >= BROADEST_PREFIX[network.version]
