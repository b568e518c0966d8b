"""What a finding of a rule says: texts with placeholders, and resource and action from the row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import msgspec

from guardray.context.enrich import enriched_columns
from guardray.detectors.calls import bucket, caller_of, credentials, origin_of
from guardray.detectors.ec2.queries import request_details
from guardray.findings.actions import AwsApiCall, NetworkConnection
from guardray.findings.details import Details
from guardray.findings.resources import Instance, NetworkInterface, Resource
from guardray.schema import EventSchema, api_activity, dns_activity
from guardray.schema.addresses import ipv4_text
from guardray.types import Row

ResourceKind = Literal["AccessKey", "S3Bucket", "Instance"]

UNKNOWN = "unknown"
"""Stands in a text for a value that the row does not have."""

UNNAMED = ("rule", "sigma")
"""What a condition is called whose author gave it no name: findings do not tell it."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_JSON_COLUMNS = {"request": "api_request_data", "response": "api_response_data", "additional": "additional_data"}
_WORDS = {"caller": caller_of, "origin": origin_of}


@dataclass(frozen=True)
class Texts:
    """What is said of the rows of one condition. `severity` is null where the rule's own holds."""

    title: str
    description: str
    severity: float | None = None


@dataclass(frozen=True)
class RuleDetails:
    """A row to what the finding says of it. Travels between processes, since it is data."""

    texts: Mapping[str, Texts]  # by the condition's name
    schema: EventSchema
    resource: ResourceKind

    def __call__(self, row: Row) -> Details:
        name = row["rule"]
        texts = self.texts[name]
        title, description = filled(texts.title, row), filled(texts.description, row)
        if self.schema == dns_activity.SCHEMA:
            found = request_details(row, title, description)
        elif self.schema == api_activity.SCHEMA:
            resource = bucket(row) if self.resource == "S3Bucket" else credentials(row)
            found = Details(title=title, description=description, resource=resource, action=AwsApiCall.of(row))
        else:
            found = _flow(row, title, description)
        info = {} if name in UNNAMED else {"ruleName": name}
        return replace(found, severity=texts.severity, additional_info=info)


def check_text(text: str, schema: EventSchema) -> None:
    """Whether all placeholders of a text can be filled from rows of the schema.

    Raises:
        ValueError: one cannot.
    """
    for name in _PLACEHOLDER.findall(text):
        is_known = name == "rule" or name in enriched_columns(schema)
        if schema == api_activity.SCHEMA and not is_known:
            is_known = name in _WORDS or (name.partition(".")[0] in _JSON_COLUMNS and "." in name)
        if not is_known:
            raise ValueError(f"{{{name}}} is not a column of {schema.name}, nor {{rule}}{_further(schema)}")


def _further(schema: EventSchema) -> str:
    return ", {caller}, {origin}, {request.key}, {response.key}" if schema == api_activity.SCHEMA else ""


def filled(text: str, row: Row) -> str:
    """The text with the row's values in place of placeholders."""
    return _PLACEHOLDER.sub(lambda match: _value(match[1], row), text)


def _value(name: str, row: Row) -> str:
    if name in _WORDS:
        return _WORDS[name](row)
    column, _, path = name.partition(".")
    value = value_at(row[_JSON_COLUMNS[column]], path) if column in _JSON_COLUMNS else row[name]
    if value is None:
        return UNKNOWN
    if name.endswith("_ip_v4"):
        return ipv4_text(value)
    return f"{value:%Y-%m-%d %H:%M:%S} UTC" if isinstance(value, datetime) else _written(value)


def _written(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def value_at(text: str | None, path: str) -> Any:
    """The value at a path, such as `items[0].key`, in JSON text; None where there is none."""
    try:
        value = msgspec.json.decode(text or "null")
    except (msgspec.DecodeError, RecursionError):
        return None
    for key, index in _STEP.findall(path):
        if key and isinstance(value, dict):
            value = value.get(key)
        elif index and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
        else:
            return None
    return value


def _flow(row: Row, title: str, description: str) -> Details:
    """A finding about the interface that saw the traffic, by the end that is ours."""
    ends = [_end(row, "src"), _end(row, "dst")]
    is_sent = next((row[name] for name in ("is_sent", "is_egress") if row[name] is not None), True)
    (local_ip, local_port), (remote_ip, remote_port) = ends if is_sent else reversed(ends)
    interface = NetworkInterface(
        interface_id=row["interface_uid"], private_ip=local_ip, vpc_id=row["vpc_uid"], subnet_id=row["subnet_uid"]
    )
    direction = {None: "UNKNOWN", is_sent: "OUTBOUND", not is_sent: "INBOUND"}[row["is_request"]]
    return Details(
        title=title,
        description=description,
        resource=Resource(
            resource_type="Instance", instance=Instance(instance_id=row["instance_uid"], interface=interface)
        ),
        action=NetworkConnection(
            direction=direction,
            protocol_num=row["protocol_num"],
            local_ip=local_ip,
            local_port=local_port,
            remote_ip=remote_ip,
            remote_port=remote_port,
            blocked=bool(row["is_rejected"]),
            interface_id=row["interface_uid"],
        ),
    )


def _end(row: Row, end: str) -> tuple[str | None, int | None]:
    """Address and port."""
    number = row[f"{end}_endpoint_ip_v4"]
    address = row[f"{end}_endpoint_ip"] if number is None else ipv4_text(number)
    return address, row[f"{end}_endpoint_port"]
