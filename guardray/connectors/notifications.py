"""What a message in a queue says of objects, in every shape in which S3's events come to a queue.

- S3's own notifications, `{"Records": [...]}`, and the test event that S3 sends when they are switched on;
- the same wrapped by SNS, which puts the message as text into `Message`, however often it was passed on;
- EventBridge's events, `{"source": "aws.s3", "detail": {...}}`, also where its own envelope is wrapped again;
- CloudTrail's notifications of delivered log files, `{"s3Bucket": ..., "s3ObjectKey": [...]}`.

Keys are URL-encoded, with a plus for a blank, in the first and plain in the others.

Source: Amazon S3 User Guide, "Event message structure" and "EventBridge event message structure"; Amazon SNS Developer
Guide, "Raw message delivery"; AWS CloudTrail User Guide, "Configuring Amazon SNS notifications for CloudTrail".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

import msgspec

_MOST_WRAPPINGS = 5
"""SNS to SQS is one, EventBridge by SNS two. What is deeper was not made by a service of AWS."""


@dataclass(frozen=True, kw_only=True)
class ObjectCreated:
    """An object that a message tells of.

    Args:
        version_id: of a bucket that keeps versions; None where it keeps none.
        sequencer: orders the events of one key; see `is_after`.
    """

    bucket: str
    key: str
    size: int | None = None
    version_id: str | None = None
    sequencer: str = ""

    def is_after(self, other: ObjectCreated) -> bool:
        """Whether this happened later than another event of the same key."""
        length = max(len(self.sequencer), len(other.sequencer))
        # The shorter one is a prefix in meaning: S3 says to fill it with zeros on the right.
        return self.sequencer.upper().ljust(length, "0") > other.sequencer.upper().ljust(length, "0")


@dataclass(frozen=True)
class Notification:
    """A message that is ours.

    Args:
        created: the objects that it tells of, each once; none where it is a test event or tells of deletions.
    """

    created: tuple[ObjectCreated, ...] = ()


@dataclass(frozen=True)
class Foreign:
    """A message that is none of ours, and how that is seen."""

    reason: str


class _Unfit(Exception):  # noqa: N818 - it carries a reason to the end of this module and no further
    pass


def parse(body: str | bytes) -> Notification | Foreign:
    """What a message's body says. Nothing is raised, whatever it is."""
    try:
        return Notification(tuple(_latest(_events(_decoded(body), _MOST_WRAPPINGS))))
    except _Unfit as unfit:
        return Foreign(str(unfit))


def _decoded(text: str | bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(text)
    except (ValueError, RecursionError) as error:
        raise _Unfit("is no JSON") from error
    if not isinstance(value, dict):
        raise _Unfit("is JSON, but no object")
    return value


def _events(message: dict[str, Any], depth: int) -> Iterator[ObjectCreated]:
    if message.get("Event") == "s3:TestEvent":
        return
    if isinstance(records := message.get("Records"), list):
        for record in records:
            yield from _record(record, depth)
    elif isinstance(message.get("s3Bucket"), str):
        yield from _trail_delivery(message)
    elif isinstance(detail := message.get("detail"), dict):
        yield from _event_bridge(message, detail)
    elif isinstance(inner := message.get("Message"), str):
        if depth == 0:
            raise _Unfit("is wrapped too often")
        if message.get("Type", "Notification") != "Notification":
            raise _Unfit(f"is a {message['Type']} of SNS and no notification")
        yield from _events(_decoded(inner), depth - 1)
    else:
        raise _Unfit("has no field that tells of objects in S3")


def _record(record: Any, depth: int) -> Iterator[ObjectCreated]:
    """One of S3's records, or one of a wrapped batch as Lambda is given: `Sns.Message` or `body`."""
    if not isinstance(record, dict):
        raise _Unfit("has a record that is no JSON object")
    inner = record.get("body") or _at(record, "Sns", "Message")
    if isinstance(inner, str) and depth > 0:
        yield from _events(_decoded(inner), depth - 1)
    elif isinstance(record.get("s3"), dict):
        if _is_creation(record.get("eventName")):
            stored = _at(record, "s3", "object")
            yield _created(_at(record, "s3", "bucket"), stored, version=_at(stored, "versionId"), is_encoded=True)
    else:
        raise _Unfit("has a record that tells of no object in S3")


def _event_bridge(event: dict[str, Any], detail: dict[str, Any]) -> Iterator[ObjectCreated]:
    if not isinstance(detail.get("object"), dict):
        raise _Unfit(f"is an event of {event.get('source')!r} that tells of no object")
    if event.get("detail-type") in ("Object Created", "Object Restore Completed"):
        stored = detail["object"]
        yield _created(detail.get("bucket"), stored, version=stored.get("version-id"), is_encoded=False)


def _trail_delivery(message: dict[str, Any]) -> Iterator[ObjectCreated]:
    keys = message.get("s3ObjectKey")
    for key in keys if isinstance(keys, list) else [keys]:
        yield _created({"name": message["s3Bucket"]}, {"key": key}, version=None, is_encoded=False)


def _created(bucket: Any, stored: Any, *, version: Any, is_encoded: bool) -> ObjectCreated:
    name, key, size = _at(bucket, "name"), _at(stored, "key"), _at(stored, "size")
    if not (isinstance(name, str) and name and isinstance(key, str) and key):
        raise _Unfit("has a record without the bucket's name or the object's key")
    sequencer = _at(stored, "sequencer")
    return ObjectCreated(
        bucket=name,
        key=_plain(key) if is_encoded else key,
        size=size if isinstance(size, int) and size >= 0 else None,
        # A bucket that has stopped keeping versions calls the present one `null`.
        version_id=version if isinstance(version, str) and version not in ("", "null") else None,
        sequencer=sequencer if isinstance(sequencer, str) else "",
    )


def _plain(encoded: str) -> str:
    try:
        return unquote_plus(encoded, errors="strict")
    except UnicodeDecodeError as error:
        raise _Unfit("has a key that is not UTF-8") from error


def _is_creation(event_name: Any) -> bool:
    """Created by any means, or brought back from an archive class."""
    if not isinstance(event_name, str):
        raise _Unfit("has a record without the name of an event")
    return event_name.removeprefix("s3:").startswith(("ObjectCreated:", "ObjectRestore:Completed"))


def _at(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _latest(events: Iterator[ObjectCreated]) -> list[ObjectCreated]:
    """Each version of an object once, as the last event has it."""
    latest: dict[tuple[str, str, str | None], ObjectCreated] = {}
    for event in events:
        identity = (event.bucket, event.key, event.version_id)
        known = latest.get(identity)
        if known is None or event.is_after(known):
            latest[identity] = event
    return list(latest.values())
