"""A Lambda function, which is handed each finding's event and not waited for.

Source: Lambda API reference, Invoke: at most 1 MB for an asynchronous invocation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec

from guardray.publish.aws import AwsDestination, in_parts, region_of
from guardray.publish.messages import event
from guardray.publish.sending import Failure, Outcome, Sender
from guardray.store.outbox import Delivery

MOST_BYTES = 1_000_000


class Function(AwsDestination, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="lambda"):
    """A function.

    Attributes:
        function: its name or ARN, with a version or an alias where one is wanted.
    """

    function: Annotated[str, msgspec.Meta(min_length=1)]

    def sender(self, folder: Path) -> Sender:
        return _Sender(self, self.client("lambda", region_of(self.function)))


class _Sender:
    batch = 20

    def __init__(self, function: Function, client: Any) -> None:
        self._function, self._client = function, client

    def send(self, deliveries: Sequence[Delivery], now: datetime) -> Iterator[Outcome]:
        return in_parts(deliveries, self._entry, self._put, most=1, most_bytes=MOST_BYTES)

    def close(self) -> None:
        self._client.close()

    def _entry(self, delivery: Delivery) -> tuple[bytes, int]:
        payload = event(delivery, self._function.source)
        return payload, len(payload)

    def _put(self, payloads: list[Any]) -> list[Failure | None]:
        for payload in payloads:
            self._client.invoke(FunctionName=self._function.function, InvocationType="Event", Payload=payload)
        return [None] * len(payloads)
