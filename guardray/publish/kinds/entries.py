"""Entries of SNS's and SQS's batches, which are alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guardray.publish.messages import event, message_id
from guardray.publish.sending import Failure
from guardray.store.outbox import Delivery

MOST_ENTRIES = 10


def entry_of(delivery: Delivery, body: str, source: str, *, in_order: bool) -> tuple[dict[str, Any], int]:
    """A batch's entry with a finding's event, and its size in bytes.

    Args:
        body: what the service calls the message.
        in_order: for a FIFO topic or queue: those of one finding keep their order, and repetitions are dropped there.
    """
    text = event(delivery, source).decode()
    attributes = {"type": ("String", delivery.type), "severity": ("Number", f"{delivery.severity:g}")}
    entry = {
        "Id": delivery.finding_id,
        body: text,
        "MessageAttributes": {
            name: {"DataType": kind, "StringValue": value} for name, (kind, value) in attributes.items()
        },
    }
    if in_order:
        entry |= {"MessageGroupId": delivery.finding_id, "MessageDeduplicationId": str(message_id(delivery))}
    size = len(text.encode()) + sum(len(name) + len(kind) + len(value) for name, (kind, value) in attributes.items())
    return entry, size


def failures_of(answer: Mapping[str, Any], entries: list[Any]) -> list[Failure | None]:
    """What a batch's answer says of each of its entries; one that it does not name has not arrived."""
    arrived = {entry["Id"] for entry in answer.get("Successful", ())}
    failed = {
        entry["Id"]: f"{entry['Code']}: {entry.get('Message', '')}".rstrip(": ") for entry in answer.get("Failed", ())
    }
    return [
        None if entry["Id"] in arrived else Failure(failed.get(entry["Id"], "the answer does not mention the message"))
        for entry in entries
    ]
