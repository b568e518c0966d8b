"""The service model that boto3 and the AWS CLI speak by, and what the service checks beyond it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape

EXTRA_PATTERNS = {
    "AccountId": r"\d{12}",
    "FilterName": r"[A-Za-z0-9._-]{3,64}",
}
"""Patterns that the model leaves out and the service demands, by shape."""

MAY_BE_EMPTY = frozenset({"TagMap"})
"""Shapes that clients send empty although the model asks for more."""


@cache
def service_model() -> ServiceModel:
    """GuardDuty's model, as the installed botocore has it."""
    return ServiceModel(Loader().load_service_model("guardduty", "service-2"), "guardduty")


@cache
def operations() -> dict[str, OperationModel]:
    """Every operation by its name."""
    model = service_model()
    return {name: model.operation_model(name) for name in model.operation_names}


def wire_name(name: str, shape: Shape) -> str:
    """What a member is called in JSON, in the query or in the path."""
    named: str = shape.serialization.get("name", name)
    return named


def location(shape: Shape) -> str:
    """Where a member of a request travels: `uri`, `querystring` or `body`."""
    place: str = shape.serialization.get("location", "body")
    return place


@cache
def pattern(text: str) -> re.Pattern[str]:
    """A pattern of the model, which is always of the whole value."""
    return re.compile(text, re.ASCII)


@cache
def limits(shape: Shape) -> Mapping[str, Any]:
    """The shape's `min`, `max`, `enum` and `pattern`, as far as it has them. A request asks for hundreds."""
    found = {name: shape.metadata[name] for name in ("min", "max", "enum", "pattern") if name in shape.metadata}
    if shape.name in EXTRA_PATTERNS:
        found["pattern"] = EXTRA_PATTERNS[shape.name]
    if shape.name in MAY_BE_EMPTY:
        found.pop("min", None)
    return found
