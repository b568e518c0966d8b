"""An SNS topic: each finding's event is a message, with what subscriptions filter by as attributes.

Source: SNS API reference, PublishBatch: at most 10 messages, 262,144 bytes in all unless the topic allows more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec

from guardray.publish.aws import AwsDestination, in_parts, region_of
from guardray.publish.kinds.entries import MOST_ENTRIES, entry_of, failures_of
from guardray.publish.sending import Failure, Outcome, Sender
from guardray.store.outbox import Delivery

MOST_BYTES = 262_144


class Topic(AwsDestination, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="sns"):
    """A topic."""

    topic_arn: Annotated[str, msgspec.Meta(pattern=r"^arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:.+$")]

    def sender(self, folder: Path) -> Sender:
        return _Sender(self, self.client("sns", region_of(self.topic_arn)))


class _Sender:
    batch = 10 * MOST_ENTRIES

    def __init__(self, topic: Topic, client: Any) -> None:
        self._topic, self._client = topic, client

    def send(self, deliveries: Sequence[Delivery], now: datetime) -> Iterator[Outcome]:
        return in_parts(deliveries, self._entry, self._put, most=MOST_ENTRIES, most_bytes=MOST_BYTES)

    def close(self) -> None:
        self._client.close()

    def _entry(self, delivery: Delivery) -> tuple[Any, int]:
        return entry_of(delivery, "Message", self._topic.source, in_order=self._topic.topic_arn.endswith(".fifo"))

    def _put(self, entries: list[Any]) -> list[Failure | None]:
        answer = self._client.publish_batch(TopicArn=self._topic.topic_arn, PublishBatchRequestEntries=entries)
        return failures_of(answer, entries)
