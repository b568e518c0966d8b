"""An EventBridge event bus: each finding is an event in the shape of GuardDuty's own.

Source: EventBridge API reference, PutEvents: at most 10 entries, less than 1 MB in all; EventBridge user guide, size of
an entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from guardray.publish.aws import AwsDestination, in_parts, region_of
from guardray.publish.messages import DETAIL_TYPE
from guardray.publish.sending import Failure, Outcome, Sender
from guardray.store.outbox import Delivery

MOST_ENTRIES = 10
MOST_BYTES = 1_000_000
TIME_BYTES = 14
"""What `Time` counts for, however it is written."""


class EventBus(AwsDestination, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="eventbridge"):
    """An event bus.

    Attributes:
        bus: its name or ARN.
    """

    bus: str = "default"

    def __post_init__(self) -> None:
        if self.source.startswith("aws."):
            raise ValueError(f"`source` is {self.source!r}, and EventBridge refuses those that start with aws.")

    def sender(self, folder: Path) -> Sender:
        return _Sender(self, self.client("events", region_of(self.bus)))


class _Sender:
    batch = 10 * MOST_ENTRIES

    def __init__(self, bus: EventBus, client: Any) -> None:
        self._bus, self._client = bus, client

    def send(self, deliveries: Sequence[Delivery], now: datetime) -> Iterator[Outcome]:
        return in_parts(deliveries, self._entry, self._put, most=MOST_ENTRIES, most_bytes=MOST_BYTES)

    def close(self) -> None:
        self._client.close()

    def _entry(self, delivery: Delivery) -> tuple[Any, int]:
        entry = {
            "Time": delivery.updated_at,
            "Source": self._bus.source,
            "DetailType": DETAIL_TYPE,
            "Detail": delivery.json,
            "EventBusName": self._bus.bus,
        }
        counted = (self._bus.source, DETAIL_TYPE, delivery.json)
        return entry, TIME_BYTES + sum(len(text.encode()) for text in counted)

    def _put(self, entries: list[Any]) -> list[Failure | None]:
        answers = self._client.put_events(Entries=entries)["Entries"]
        return [_failure(answer) for answer in answers]


def _failure(answer: dict[str, str]) -> Failure | None:
    code = answer.get("ErrorCode")
    return None if code is None else Failure(f"{code}: {answer.get('ErrorMessage', '')}".rstrip(": "))
