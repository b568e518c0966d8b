"""Reading a request: its members by the model's names, each checked for what clients leave to the server."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import msgspec
from botocore.model import OperationModel, Shape, StructureShape

from guardray.api.errors import ApiError, bad_request
from guardray.api.model import limits, location, pattern, wire_name

MAX_BODY_BYTES = 1 << 20
"""No request of a client comes near: 50 ids, 50 criteria of 50 values, or 50,000 account ids at the most."""

_INT64 = 1 << 63


def read_input(operation: OperationModel, arguments: Mapping[str, str], query: str, body: bytes) -> dict[str, Any]:
    """The members of a request by the names of the model (`FindingIds`); those that are null or absent are left out.

    Raises:
        ApiError: 400, naming the member as it is on the wire.
    """
    shape = operation.input_shape
    if shape is None:
        return {}
    texts = _query(query)
    members = _document(body)
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        wire = wire_name(name, member)
        match location(member):
            case "uri":
                value: Any = arguments.get(wire)
            case "querystring":
                value = _of_texts(member, texts.get(wire), wire)
            case _:
                value = members.get(wire)
        if value is not None:
            found[name] = _read(member, value, wire)
    _check_required(shape, found, "")
    return found


def _query(query: str) -> dict[str, list[str]]:
    try:
        return parse_qs(query, keep_blank_values=True, errors="strict", max_num_fields=1000)
    except ValueError:
        raise bad_request("its query cannot be read") from None


def _document(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    if len(body) > MAX_BODY_BYTES:
        raise bad_request(f"its body has more than {MAX_BODY_BYTES:,} bytes")
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise bad_request("its body is not JSON", "SerializationException") from None
    if not isinstance(document, dict):
        raise bad_request("its body is not a JSON object", "SerializationException")
    return document


def _of_texts(shape: Shape, texts: list[str] | None, at: str) -> Any:
    """What the query says of a member, as JSON would have it."""
    if not texts:
        return None
    if shape.type_name == "list":
        return texts
    text = texts[-1]
    if shape.type_name == "integer":
        try:
            return int(text)
        except ValueError:
            raise _invalid(at, "is not a whole number") from None
    if shape.type_name == "boolean":
        if text not in ("true", "false"):
            raise _invalid(at, "is neither true nor false")
        return text == "true"
    # An empty token is how clients that count on it ask for the first page.
    return text or None


def _read(shape: Shape, value: Any, at: str) -> Any:
    return _READERS[shape.type_name](shape, value, at)


def _structure(shape: Any, value: Any, at: str) -> dict[str, Any]:
    _check_type(value, dict, at, "is not an object")
    found = {
        name: _read(member, value[wire], f"{at}.{wire}")
        for name, member in shape.members.items()
        if value.get(wire := wire_name(name, member)) is not None
    }
    _check_required(shape, found, at)
    return found


def _list(shape: Any, value: Any, at: str) -> list[Any]:
    _check_type(value, list, at, "is not a list")
    _check_size(shape, len(value), at, "entries")
    return [_read(shape.member, entry, f"{at}[{number}]") for number, entry in enumerate(value)]


def _map(shape: Any, value: Any, at: str) -> dict[str, Any]:
    _check_type(value, dict, at, "is not an object")
    _check_size(shape, len(value), at, "entries")
    return {_read(shape.key, key, at): _read(shape.value, entry, f"{at}.{key}") for key, entry in value.items()}


def _string(shape: Shape, value: Any, at: str) -> str:
    _check_type(value, str, at, "is not a string")
    text: str = value
    allowed = limits(shape)
    if "enum" in allowed and text not in allowed["enum"]:
        raise _invalid(at, f"is not one of {', '.join(allowed['enum'])}")
    _check_size(shape, len(text), at, "characters")
    if "pattern" in allowed and not pattern(allowed["pattern"]).fullmatch(text):
        raise _invalid(at, f"does not match the pattern {allowed['pattern']}")
    return text


def _integer(shape: Shape, value: Any, at: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _invalid(at, "is not a whole number")
    # Times in milliseconds are sent in members that the model has 32 bits for.
    if not -_INT64 <= value < _INT64:
        raise _invalid(at, "is out of range")
    allowed = limits(shape)
    if not allowed.get("min", value) <= value <= allowed.get("max", value):
        raise _invalid(at, f"is not from {allowed.get('min')} to {allowed.get('max')}")
    return value


def _double(shape: Shape, value: Any, at: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise _invalid(at, "is not a number")
    return float(value)


def _boolean(shape: Shape, value: Any, at: str) -> bool:
    _check_type(value, bool, at, "is neither true nor false")
    return bool(value)


def _timestamp(shape: Shape, value: Any, at: str) -> datetime:
    try:
        if isinstance(value, str):
            time = datetime.fromisoformat(value)
            return time if time.tzinfo else time.replace(tzinfo=UTC)
        return datetime.fromtimestamp(_double(shape, value, at), UTC)
    except (ValueError, OverflowError, OSError):
        raise _invalid(at, "is not a time") from None


_READERS: dict[str, Callable[[Any, Any, str], Any]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "integer": _integer,
    "long": _integer,
    "double": _double,
    "boolean": _boolean,
    "timestamp": _timestamp,
}


def _check_required(shape: StructureShape, found: Mapping[str, Any], at: str) -> None:
    for name in shape.required_members:
        if name not in found:
            wire = wire_name(name, shape.members[name])
            raise bad_request(f"the required parameter {f'{at}.{wire}' if at else wire} is missing")


def _check_type(value: Any, kind: type, at: str, otherwise: str) -> None:
    if not isinstance(value, kind):
        raise _invalid(at, otherwise)


def _check_size(shape: Shape, size: int, at: str, what: str) -> None:
    allowed = limits(shape)
    if size < allowed.get("min", 0):
        raise _invalid(at, f"has fewer than {allowed['min']} {what}")
    if size > allowed.get("max", size):
        raise _invalid(at, f"has more than {allowed['max']} {what}")


def _invalid(at: str, reason: str) -> ApiError:
    return bad_request(f"the parameter {at[:300]} {reason}")
