"""Writing an answer by the model: wire names, and each time in the encoding of its member."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from botocore.model import OperationModel, Shape

from guardray.api.model import wire_name
from guardray.findings.wire import time_text

NOT_ALWAYS_THERE = frozenset(
    {("GetAdministratorAccountResponse", "Administrator"), ("GetMasterAccountResponse", "Master")}
)
"""Required members that the service itself leaves out: of an account without an administrator."""


@dataclass(frozen=True)
class Wire:
    """JSON that is as it is to be sent, such as a stored finding."""

    json: Any


def write_output(operation: OperationModel, values: Mapping[str, Any]) -> bytes:
    """The body of an answer; `values` are by the names of the model, times aware datetimes.

    Raises:
        ValueError, KeyError: the answer is not as the model has it, which is a fault of ours.
    """
    shape = operation.output_shape
    if shape is None:
        return b"{}"
    return msgspec.json.encode(_write(shape, values))


def _write(shape: Any, value: Any) -> Any:
    if isinstance(value, Wire):
        return value.json
    match shape.type_name:
        case "structure":
            return _structure(shape, value)
        case "list":
            return [_write(shape.member, entry) for entry in value]
        case "map":
            return {key: _write(shape.value, entry) for key, entry in value.items()}
        case _ if isinstance(value, datetime):
            return _time(shape, value)
    return value


def _structure(shape: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = values.keys() - shape.members.keys()
    if unknown:
        raise ValueError(f"{shape.name} has no {', '.join(sorted(unknown))}")
    missing = [
        name
        for name in shape.required_members
        if values.get(name) is None and (shape.name, name) not in NOT_ALWAYS_THERE
    ]
    if missing:
        raise ValueError(f"{shape.name} needs {', '.join(missing)}")
    return {
        wire_name(name, shape.members[name]): _write(shape.members[name], value)
        for name, value in values.items()
        if value is not None
    }


def _time(shape: Shape, time: datetime) -> str | float | int:
    """A text where the model says string, seconds where it says timestamp, milliseconds where it says long."""
    if shape.type_name == "string":
        return time_text(time)
    milliseconds = round(time.timestamp() * 1000)
    return milliseconds if shape.type_name == "long" else milliseconds / 1000
