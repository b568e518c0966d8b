"""An SQS queue: each finding's event is a message.

Source: SQS API reference, SendMessageBatch: at most 10 messages, 1 MiB in all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec

from guardray.publish.aws import AwsDestination, in_parts
from guardray.publish.kinds.entries import MOST_ENTRIES, entry_of, failures_of
from guardray.publish.sending import Failure, Outcome, Sender
from guardray.store.outbox import Delivery

MOST_BYTES = 1 << 20

_REGION = re.compile(r"https?://sqs\.([a-z0-9-]+)\.")


class Queue(AwsDestination, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="sqs"):
    """A queue."""

    queue_url: Annotated[str, msgspec.Meta(pattern=r"^https?://[^/]+/.+$")]

    def sender(self, folder: Path) -> Sender:
        region = _REGION.match(self.queue_url)
        return _Sender(self, self.client("sqs", region[1] if region else None))


class _Sender:
    batch = 10 * MOST_ENTRIES

    def __init__(self, queue: Queue, client: Any) -> None:
        self._queue, self._client = queue, client

    def send(self, deliveries: Sequence[Delivery], now: datetime) -> Iterator[Outcome]:
        return in_parts(deliveries, self._entry, self._put, most=MOST_ENTRIES, most_bytes=MOST_BYTES)

    def close(self) -> None:
        self._client.close()

    def _entry(self, delivery: Delivery) -> tuple[Any, int]:
        return entry_of(delivery, "MessageBody", self._queue.source, in_order=self._queue.queue_url.endswith(".fifo"))

    def _put(self, entries: list[Any]) -> list[Failure | None]:
        return failures_of(self._client.send_message_batch(QueueUrl=self._queue.queue_url, Entries=entries), entries)
