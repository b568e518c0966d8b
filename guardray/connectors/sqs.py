"""Objects that a queue tells of: S3's notifications in SQS.

A message is deleted when all objects that it tells of are done and the checkpoint that says so is written; until then
it is kept from others. What is killed meanwhile loses nothing: the message comes back when its time-out is over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from guardray.connectors.deliveries import Deliveries, Delivery, message_of
from guardray.connectors.notifications import Foreign, ObjectCreated, parse
from guardray.connectors.poison import KnownFacts, Poison
from guardray.connectors.positions import checked, labelled
from guardray.connectors.problems import Problems
from guardray.connectors.queue import BATCH, LONGEST_VISIBILITY, Message, Queue
from guardray.connectors.record import MessageRecord
from guardray.connectors.retries import Retries
from guardray.connectors.source import Arrival, Clock, Failure, Lag, Position, Problem, Receipt, utc_now
from guardray.errors import SourceError
from guardray.sources.aws_keys import KeyFilter, key_facts
from guardray.sources.objects import InputObject

KIND = "sqs"


@dataclass(frozen=True, kw_only=True)
class QueueConfig:
    """How to read a queue.

    Args:
        url: of the queue, as SQS gives it.
        region: where it is; the environment's if not given.
        endpoint: of another service that speaks SQS's protocol.
        key_filter: objects whose keys rule out that they hold wanted events are passed over.
        visibility: for how long a message is kept from others, from its receipt and from each renewal. As long as a
            crash may delay what was being worked on.
        wait_s: how long an empty queue is waited at, which costs one request instead of many. 0 to 20.
        receivers: requests at once.
        max_receives: a message that came more often is poison: its object kills who reads it, or may not be read.
        record: where poison is kept that is taken out of a queue without a redrive policy; it stays if not given.
    """

    url: str
    region: str | None = None
    endpoint: str | None = None
    key_filter: KeyFilter = field(default_factory=KeyFilter)
    visibility: timedelta = timedelta(minutes=5)
    wait_s: int = 1
    receivers: int = 8
    max_receives: int = 10
    record: Path | None = None


class QueueSource:
    """The objects that one queue tells of; a `ContinuousSource`."""

    def __init__(self, config: QueueConfig, clock: Clock = utc_now) -> None:
        self._config = config
        self._clock = clock
        self._queue = Queue(
            config.url, region=config.region, endpoint=config.endpoint, connections=max(config.receivers, 1)
        )
        self._deliveries = Deliveries()
        self._ready: deque[Arrival] = deque()
        self._retries = Retries()
        self._problems = Problems()
        self._facts = KnownFacts(self._queue, clock)
        record = MessageRecord(config.record) if config.record else None
        self._poison = Poison(self._facts, record, self._problems)
        self._is_busy = False
        self.passed_over = 0
        """Objects that are no logs or not wanted."""

    @property
    def name(self) -> str:
        return self._config.url

    @property
    def comes_again(self) -> timedelta:
        return self._config.visibility

    def poll(self, limit: int) -> list[Arrival]:
        now = self._clock()
        self._keep_own(now)
        arrivals = self._retries.due(limit, now)
        while len(arrivals) < limit:
            if not self._ready and not self._receive(limit - len(arrivals), wait=not arrivals):
                break
            while self._ready and len(arrivals) < limit:
                arrivals.append(self._ready.popleft())
        self._delete_done()
        return arrivals

    def position(self, done: Iterable[Receipt] = ()) -> Position:
        """The ids of messages that are done and may come again: they are deleted then, and not read."""
        ids = sorted(set(self._deliveries.done_ids(done, self._clock())))
        return labelled(KIND, {"queue": self.name, "done": ids})

    def restore(self, position: Position) -> None:
        self._deliveries.restore(checked(position, KIND, self.name)["done"], self._clock())
        self._ready.clear()
        self._retries.clear()

    def acknowledge(self, receipts: Iterable[Receipt]) -> None:
        receipts = list(receipts)
        for receipt in receipts:
            self._retries.drop(receipt)
        self._deliveries.done(receipts)
        self._delete_done()

    def renew(self, receipts: Iterable[Receipt]) -> None:
        now = self._clock()
        third = self._config.visibility / 3
        worn = [d for d in self._deliveries.of(receipts).values() if d.kept_until - now < 2 * third]
        lost = set(self._queue.hold([delivery.message.handle for delivery in worn], self._config.visibility))
        for delivery in worn:
            # One that could not be kept is not tried again at every call: its next chance is when it comes again.
            delivery.kept_until = now + self._config.visibility
        if lost:
            hours = LONGEST_VISIBILITY // timedelta(hours=1)
            reason = f"messages could not be kept from others, which SQS allows for {hours} hours: they come again"
            self._problems.add(self.name, reason, len(lost))

    def release(self, receipts: Iterable[Receipt], failure: Failure) -> None:
        for receipt in receipts:
            arrival = self._deliveries.arrival(receipt)
            if arrival is None:
                continue
            if failure is Failure.THROTTLED:
                # Giving the message back would count as a receipt, and enough of those make it poison.
                self._retries.add(arrival, failure, self._clock())
            else:
                self._give_back(receipt)
                self._problems.add(self.name, f"{_bucket_of(arrival)}: an object may not be read; it is tried again")

    def lag(self, done: Collection[Receipt] = ()) -> Lag:
        pending, oldest = self._deliveries.lag(done)
        try:
            facts = self._facts.current()
        except SourceError as error:
            self._problems.add(error.url, error.reason)
            facts = None
        return Lag(
            backlog=pending + (facts.waiting if facts else 0),
            oldest=None if oldest is None else max(self._clock() - oldest, timedelta()),
        )

    def problems(self) -> list[Problem]:
        return self._problems.drain()

    def close(self) -> None:
        self._queue.close()

    def _receive(self, wanted: int, *, wait: bool) -> bool:
        """Receive messages; whether there is something to do now.

        A round of messages that tell of nothing to do ends the poll: a queue full of them must not hold the caller.

        Raises:
            SourceError: the queue does not exist.
        """
        # Several requests at once are for a queue that has just filled one: an idle one is asked once.
        wanted = wanted if self._is_busy else min(wanted, BATCH)
        try:
            messages = self._queue.receive(
                wanted, wait_s=self._config.wait_s if wait else 0, visibility=self._config.visibility
            )
        except SourceError as error:
            if error.reason == "no such queue":
                raise
            self._problems.add(error.url, error.reason)
            return False
        self._is_busy = len(messages) >= BATCH
        now = self._clock()
        for message in messages:
            self._on_message(message, now)
        return bool(self._ready)

    def _on_message(self, message: Message, now: datetime) -> None:
        kept_until = now + self._config.visibility
        if self._deliveries.is_done(message.message_id):
            self._deliveries.settle(message)
        elif message.message_id in self._deliveries:
            self._deliveries.came_again(message, kept_until)
        elif message.receive_count > self._config.max_receives:
            if self._poison.take(message, now):
                self._deliveries.settle(message)
        elif isinstance(said := parse(message.body), Foreign):
            # It may be somebody else's: it is left alone until it has come too often.
            self._problems.add(self.name, f"a message that is none of S3's is left in the queue: it {said.reason}")
        elif arrivals := self._wanted(message, said.created, now):
            self._deliveries.add(Delivery(message, kept_until, {arrival.receipt: arrival for arrival in arrivals}))
            self._ready += arrivals
        else:
            self._deliveries.settle(message)

    def _wanted(self, message: Message, created: Iterable[ObjectCreated], now: datetime) -> list[Arrival]:
        arrivals = []
        for index, event in enumerate(created):
            facts = key_facts(event.key)
            if event.key.endswith("/") or not facts.may_match(self._config.key_filter):
                self.passed_over += 1
                continue
            obj = InputObject(
                url=f"s3://{event.bucket}/{event.key}",
                size=event.size,
                key_time=facts.time,
                account_id=facts.account_id,
                region=facts.region,
                version_id=event.version_id,
                written=now,
            )
            receipt = f"{message.message_id}/{index}"
            arrivals.append(Arrival(object=obj, receipt=receipt, seen_at=now, attempt=message.receive_count))
        return arrivals

    def _give_back(self, receipt: Receipt) -> None:
        """Let a message go with all that it tells of; the longer the more often it came, and it counts as received."""
        delivery = self._deliveries.forget(message_of(receipt))
        if delivery is None:
            return
        gone = delivery.pending.keys()
        self._ready = deque(arrival for arrival in self._ready if arrival.receipt not in gone)
        for pending in gone:
            self._retries.drop(pending)
        wait = timedelta(minutes=1) * 2 ** min(delivery.message.receive_count - 1, 10)
        self._queue.hold([delivery.message.handle], wait)

    def _keep_own(self, now: datetime) -> None:
        """Renew what this source itself holds back: received beyond what was asked for, or to be tried again."""
        held = [arrival.receipt for arrival in self._ready] + list(self._retries)
        if held:
            self.renew(held)

    def _delete_done(self) -> None:
        handles = self._deliveries.to_delete()
        if not handles:
            return
        failed = set(self._queue.delete(list(handles.values())))
        self._deliveries.deleted(id_ for id_, handle in handles.items() if handle not in failed)
        self._deliveries.deletion_failed([id_ for id_, handle in handles.items() if handle in failed], self._clock())
        if failed:
            self._problems.add(self.name, "messages that are done could not be deleted: they come again", len(failed))


def _bucket_of(arrival: Arrival) -> str:
    return "/".join(arrival.object.url.split("/")[:3])
