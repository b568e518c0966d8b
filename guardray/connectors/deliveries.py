"""Messages that were received and not deleted yet, with the objects of each that are still to be done."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from guardray.connectors.queue import Message
from guardray.connectors.source import Arrival, Receipt

_REMEMBERED = timedelta(days=1)
"""How long a message that a checkpoint names as done is waited for. It was mostly deleted before the crash; if not, it
comes back within the time-out, and if it comes later than this it is read again, which does no harm."""


@dataclass
class Delivery:
    """A message that is being worked on.

    Args:
        message: as it was received last: only the newest handle deletes it.
        kept_until: others are not given it before then.
        pending: what is to be done before it may be deleted.
    """

    message: Message
    kept_until: datetime
    pending: dict[Receipt, Arrival] = field(default_factory=dict)


def message_of(receipt: Receipt) -> str:
    """The id of the message that told of an arrival."""
    return receipt.rpartition("/")[0]


class Deliveries:
    """Messages in flight, and those that are done and wait for their deletion."""

    def __init__(self) -> None:
        self._open: dict[str, Delivery] = {}
        self._handles: dict[str, str] = {}
        """Of done messages that have not been deleted."""
        self._remembered: dict[str, datetime] = {}
        """Ids of messages that a checkpoint names as done, and since when they are waited for."""

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._open

    def add(self, delivery: Delivery) -> None:
        """Take in a message with what it tells of."""
        self._open[delivery.message.message_id] = delivery

    def came_again(self, message: Message, kept_until: datetime) -> None:
        """A message that is being worked on was received again: what deletes it has changed."""
        delivery = self._open[message.message_id]
        delivery.message, delivery.kept_until = message, kept_until

    def is_done(self, message_id: str) -> bool:
        """Whether the message needs only to be deleted."""
        return message_id in self._handles or message_id in self._remembered

    def settle(self, message: Message) -> None:
        """Note that a message is done, so that it will be deleted."""
        self._remembered.pop(message.message_id, None)
        self._handles[message.message_id] = message.handle

    def done(self, receipts: Iterable[Receipt]) -> None:
        """Note that these objects are done, and with the last one of a message the message."""
        for receipt in receipts:
            delivery = self._open.get(message_of(receipt))
            if delivery is None or delivery.pending.pop(receipt, None) is None or delivery.pending:
                continue
            del self._open[delivery.message.message_id]
            self.settle(delivery.message)

    def forget(self, message_id: str) -> Delivery | None:
        """Work no more on a message; it comes again."""
        return self._open.pop(message_id, None)

    def of(self, receipts: Iterable[Receipt]) -> dict[str, Delivery]:
        """The messages that these objects belong to, by id."""
        ids = dict.fromkeys(map(message_of, receipts))
        return {message_id: self._open[message_id] for message_id in ids if message_id in self._open}

    def arrival(self, receipt: Receipt) -> Arrival | None:
        """What a receipt was given for, if it is not done."""
        delivery = self._open.get(message_of(receipt))
        return delivery.pending.get(receipt) if delivery else None

    def to_delete(self) -> Mapping[str, str]:
        """Handles of done messages by id."""
        return dict(self._handles)

    def deleted(self, message_ids: Iterable[str]) -> None:
        """Note that these are gone."""
        for message_id in message_ids:
            self._handles.pop(message_id, None)

    def deletion_failed(self, message_ids: Iterable[str], now: datetime) -> None:
        """Note that these are not gone: their handles are worth nothing any more, and they come again."""
        for message_id in message_ids:
            self._handles.pop(message_id, None)
            self._remembered[message_id] = now

    def done_ids(self, receipts: Iterable[Receipt], now: datetime) -> Iterator[str]:
        """Ids of messages that are done once these objects are, and may come again."""
        self._remembered = {id_: since for id_, since in self._remembered.items() if now - since < _REMEMBERED}
        yield from self._handles
        yield from self._remembered
        done = set(receipts)
        for message_id, delivery in self.of(done).items():
            if delivery.pending.keys() <= done:
                yield message_id

    def restore(self, done_ids: Iterable[str], now: datetime) -> None:
        """Start anew, with these messages to delete when they are seen."""
        self._open.clear()
        self._handles.clear()
        self._remembered = dict.fromkeys(done_ids, now)

    def lag(self, done: Collection[Receipt]) -> tuple[int, datetime | None]:
        """How many objects are to be done besides these, and when the oldest message that tells of them was sent."""
        left = {id_: sum(one not in done for one in delivery.pending) for id_, delivery in self._open.items()}
        sent = [self._open[id_].message.sent_at for id_, count in left.items() if count]
        return sum(left.values()), min(sent, default=None)
