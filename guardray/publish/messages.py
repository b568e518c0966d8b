"""What is sent of a finding: its JSON, the event around it, and an id that a receiver can tell repetitions by."""

from __future__ import annotations

import hashlib
from uuid import UUID

import msgspec

from guardray.store.outbox import Delivery

DETAIL_TYPE = "GuardDuty Finding"
DEFAULT_SOURCE = "guardray"


def message_id(delivery: Delivery) -> UUID:
    """The same for the same finding in the same state, however often, from wherever and to wherever it is sent.

    A repeated attempt that finds the finding changed sends the new state, under another id: a receiver that drops
    what it had before drops nothing new.
    """
    return UUID(bytes=hashlib.blake2b(delivery.json.encode(), digest_size=16).digest())


def event(delivery: Delivery, source: str) -> bytes:
    """The event that EventBridge makes of a GuardDuty finding, as JSON; `time` is when the finding was written.

    The two characters that SQS and SNS refuse are escaped: a name in a log must not keep a finding from leaving.

    Source: Amazon EventBridge user guide, structure of events; GuardDuty user guide, EventBridge events.
    """
    finding = delivery.json.replace("\ufffe", r"\ufffe").replace("\uffff", r"\uffff")
    return msgspec.json.encode(
        {
            "version": "0",
            "id": str(message_id(delivery)),
            "detail-type": DETAIL_TYPE,
            "source": source,
            "account": delivery.account_id,
            "time": f"{delivery.updated_at:%Y-%m-%dT%H:%M:%SZ}",
            "region": delivery.region,
            "resources": [],
            "detail": msgspec.Raw(finding.encode()),
        }
    )
