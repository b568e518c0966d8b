"""An SQS queue: receiving, keeping, giving back and deleting messages, in batches.

Source: Amazon SQS API Reference and Developer Guide ("Visibility timeout", "Dead-letter queues").
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from guardray.errors import SourceError

BATCH = 10
"""SQS takes and gives no more at once."""

LONGEST_WAIT_S = 20
LONGEST_VISIBILITY = timedelta(hours=12)
"""From the time of receipt, however often it is extended."""

_REASONS = {
    "AWS.SimpleQueueService.NonExistentQueue": "no such queue",
    "QueueDoesNotExist": "no such queue",
    "AccessDenied": "access denied",
    "AccessDeniedException": "access denied",
}


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message as it was received.

    Args:
        message_id: stays the same when the message comes again.
        handle: names this receipt of it; a later receipt has another one.
        receive_count: how often it was received, this time included.
        sent_at: when it was put into the queue.
    """

    message_id: str
    handle: str
    body: str
    receive_count: int
    sent_at: datetime


@dataclass(frozen=True)
class QueueFacts:
    """What the queue says of itself.

    Args:
        waiting: messages that could be received.
        in_flight: messages that somebody has received and not deleted.
        max_receives: of its redrive policy; None where it has none.
    """

    waiting: int
    in_flight: int
    max_receives: int | None


class Queue:
    """One queue.

    Args:
        url: as SQS gives it.
        region: where it is.
        endpoint: URL of another service that speaks SQS's protocol; AWS's own if not given.
        connections: how many requests may run at once.
    """

    def __init__(self, url: str, *, region: str | None, endpoint: str | None, connections: int) -> None:
        self.url = url
        config = Config(
            retries={"mode": "standard", "max_attempts": 5},
            connect_timeout=10,
            read_timeout=LONGEST_WAIT_S + 20,
            max_pool_connections=connections,
        )
        with self._as_source_error():
            self._client = boto3.client("sqs", region_name=region, endpoint_url=endpoint, config=config)
        # Requests wait for answers, and no more of them are made than there are connections.
        self._connections = connections
        self._pool = ThreadPoolExecutor(connections)

    def receive(self, most: int, *, wait_s: int, visibility: timedelta) -> list[Message]:
        """Up to so many messages, which nobody else is given until the visibility time-out is over.

        Args:
            most: more than ten are asked for in several requests at once.
            wait_s: how long to wait for the first one, whole seconds.

        Raises:
            SourceError: the queue does not exist, may not be read, or does not answer. What other requests gave
                comes again.
        """
        requests = min(self._connections, -(-most // BATCH))
        receive = partial(self._receive, most, wait_s, visibility)
        return [message for received in self._pool.map(lambda _: receive(), range(requests)) for message in received]

    def _receive(self, most: int, wait_s: int, visibility: timedelta) -> list[Message]:
        with self._as_source_error():
            answer = self._client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=min(most, BATCH),
                WaitTimeSeconds=min(wait_s, LONGEST_WAIT_S),
                VisibilityTimeout=_seconds(visibility),
                AttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
            )
        return [_message(message) for message in answer.get("Messages", ())]

    def hold(self, handles: Sequence[str], visibility: timedelta) -> list[str]:
        """Keep messages from others for so long from now; those that are no longer ours to keep are given back.

        With no time they are given to others at once.
        """
        seconds = _seconds(visibility)
        entries = [{"ReceiptHandle": handle, "VisibilityTimeout": seconds} for handle in handles]
        return [handles[index] for index in self._in_batches("change_message_visibility_batch", entries)]

    def delete(self, handles: Sequence[str]) -> list[str]:
        """Delete messages; those that could not be are given back."""
        entries = [{"ReceiptHandle": handle} for handle in handles]
        return [handles[index] for index in self._in_batches("delete_message_batch", entries)]

    def facts(self) -> QueueFacts:
        """What the queue says of itself. Raises SourceError as `receive` does."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "RedrivePolicy"]
        with self._as_source_error():
            found = self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names).get("Attributes", {})
        return QueueFacts(
            waiting=int(found.get("ApproximateNumberOfMessages", 0)),
            in_flight=int(found.get("ApproximateNumberOfMessagesNotVisible", 0)),
            max_receives=_max_receives(found),
        )

    def close(self) -> None:
        """Close the connections."""
        self._pool.shutdown()
        self._client.close()

    def _in_batches(self, operation: str, entries: Sequence[Mapping[str, Any]]) -> list[int]:
        """Call a batch operation for all entries, and give the positions of those that failed."""
        starts = range(0, len(entries), BATCH)
        call = partial(self._batch, operation, entries)
        return [index for failed in self._pool.map(call, starts) for index in failed]

    def _batch(self, operation: str, entries: Sequence[Mapping[str, Any]], start: int) -> list[int]:
        numbered = [{"Id": str(start + i), **entry} for i, entry in enumerate(entries[start : start + BATCH])]
        try:
            with self._as_source_error():
                answer = getattr(self._client, operation)(QueueUrl=self.url, Entries=numbered)
        except SourceError:
            # Whatever the reason: the messages come again, and are told by their ids.
            return list(range(start, start + len(numbered)))
        return [int(entry["Id"]) for entry in answer.get("Failed", ())]

    @contextmanager
    def _as_source_error(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            raise SourceError(self.url, _REASONS.get(code, str(error))) from error
        except (BotoCoreError, ValueError) as error:  # a ValueError where the endpoint is no URL
            raise SourceError(self.url, str(error)) from error


def _message(answer: Mapping[str, Any]) -> Message:
    attributes = answer.get("Attributes", {})
    return Message(
        message_id=answer["MessageId"],
        handle=answer["ReceiptHandle"],
        body=answer["Body"],
        receive_count=int(attributes.get("ApproximateReceiveCount", 1)),
        sent_at=datetime.fromtimestamp(int(attributes.get("SentTimestamp", 0)) / 1000, UTC),
    )


def _max_receives(attributes: Mapping[str, str]) -> int | None:
    policy = json.loads(attributes.get("RedrivePolicy") or "{}")
    return int(policy["maxReceiveCount"]) if "maxReceiveCount" in policy else None


def _seconds(time: timedelta) -> int:
    return int(min(time, LONGEST_VISIBILITY).total_seconds())
