"""The slow way for records that the typed decoder refuses: keep what can be kept of each, and say what is wrong.

Real trails are typed as documented. Hand-edited tests, other programs' exports and damaged files are not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from guardray.sources.cloudtrail.columns import KEPT_CATEGORIES
from guardray.sources.cloudtrail.loose import any_json, raw_of, text_fields, text_of
from guardray.sources.cloudtrail.records import RECORDS, Record, wire_name
from guardray.sources.cloudtrail.scan import scan
from guardray.sources.decoder import FIRST_TIME, LAST_TIME

_WRAPPINGS_DEEP = 4
"""CloudWatch's envelope around EventBridge's around a file of records is as deep as anything seen."""


class UnusableError(ValueError):
    """A record cannot be normalised; the message says why."""


def records(content: bytes) -> list[Record | UnusableError]:
    """The records in one JSON value, unwrapped from what CloudWatch Logs or EventBridge put around them.

    Each is a record or says why it is none; a value that is not JSON at all is one such.
    """
    try:
        value = any_json(content)
    except ValueError as error:
        return [UnusableError(str(error))]
    typed = _typed(content)
    return [_loose_or_flaw(inner) for inner in _unwrap(value, _WRAPPINGS_DEEP)] if typed is None else [typed]


def _typed(content: bytes) -> Record | None:
    """The record as the quick way gives it, so that damage beside a record changes nothing in it."""
    if scan(content) is None:
        return None
    try:
        return _sound(RECORDS.decode(content))
    except (ValueError, RecursionError):
        return None


def _unwrap(value: Any, depth: int) -> Iterator[Any]:
    inner = _inner(value) if depth else None
    if inner is None:
        yield value
    else:
        for part in inner:
            yield from _unwrap(part, depth - 1)


def _inner(value: Any) -> list[Any] | None:
    """What a wrapping holds; None for a record."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict) or "eventName" in value:
        return None
    if value.get("messageType") == "CONTROL_MESSAGE":  # CloudWatch Logs tries whether its subscriber is there
        return []
    for name in ("Records", "logEvents"):
        if isinstance(inner := value.get(name), list):
            return inner
    if isinstance(value.get("detail"), dict):
        return [value["detail"]]
    message = value.get("message", value.get("@message"))
    if isinstance(message, dict):
        return [message]
    return [_message_value(message)] if isinstance(message, str) else None


def _message_value(message: str) -> Any:
    try:
        return json.loads(message, strict=False)
    except (ValueError, RecursionError):
        return message


def _loose_or_flaw(value: Any) -> Record | UnusableError:
    try:
        return _sound(_loose(value))
    except UnusableError as flaw:
        return flaw
    except RecursionError:
        return UnusableError("JSON nested too deep")


def _sound(record: Record) -> Record:
    """The record with its time in the format that the columns expect, if it is usable; other categories always are."""
    if record.event_category not in (None, *KEPT_CATEGORIES):
        return record
    if record.event_source is not None and record.event_source.startswith("aws:"):
        raise UnusableError(f"a notification of {record.event_source}, not a CloudTrail record")
    for field in ("event_time", "event_name", "event_source"):
        if not getattr(record, field):
            raise UnusableError(f"no {wire_name(field)}")
    record.event_time = _canonical_time(record.event_time or "")
    return record


def _canonical_time(text: str) -> str:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise UnusableError(f"eventTime {text[:40]!r} is not a time") from None
    try:
        time = time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
    except OverflowError:
        time = LAST_TIME
    if not FIRST_TIME <= time < LAST_TIME:
        raise UnusableError(f"eventTime {text[:40]!r} is outside {FIRST_TIME:%Y} to {LAST_TIME:%Y}")
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _loose(value: Any) -> Record:
    if not isinstance(value, dict):
        raise UnusableError("not a JSON object")
    fields: dict[str, Any] = dict(text_fields(Record, value))
    fields["event_time"] = _time_text(value.get("eventTime"))
    for name in ("request_parameters", "response_elements", "additional_event_data", "user_identity"):
        fields[name] = raw_of(value.get(wire_name(name)))
    return Record(**fields)


def _time_text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return text_of(value)
    try:
        seconds = value / 1000 if value >= LAST_TIME.timestamp() else value
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).isoformat()
    except (OverflowError, ValueError):
        return text_of(value)
