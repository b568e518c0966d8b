"""Which messages may be deleted, whatever comes, comes again, is done and fails in whatever order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from guardray.connectors.deliveries import Deliveries, Delivery
from guardray.connectors.queue import Message
from guardray.connectors.source import Arrival
from guardray.sources.objects import InputObject

NOW = datetime(2026, 11, 20, tzinfo=UTC)


class Queue(RuleBasedStateMachine):
    """A queue that delivers as it likes, against a reader that may crash and go on from its last checkpoint."""

    messages = Bundle("messages")

    def __init__(self) -> None:
        super().__init__()
        self.deliveries = Deliveries()
        self.sizes: dict[str, int] = {}
        self.receipts = 0
        self.deleted: set[str] = set()
        self.finished: set[str] = set()
        """Objects whose results are in a checkpoint."""
        self.checkpoint: list[str] = []

    @rule(target=messages, objects=st.integers(1, 3))
    def send(self, objects: int) -> str:
        message_id = f"m{len(self.sizes)}"
        self.sizes[message_id] = objects
        return message_id

    @rule(message_id=messages)
    def receive(self, message_id: str) -> None:
        if message_id in self.deleted:
            return
        self.receipts += 1
        message = Message(
            message_id=message_id, handle=f"h{self.receipts}", body="", receive_count=self.receipts, sent_at=NOW
        )
        if self.deliveries.is_done(message_id):
            self.deliveries.settle(message)
        elif message_id in self.deliveries:
            self.deliveries.came_again(message, NOW)
        else:
            receipts = [f"{message_id}/{index}" for index in range(self.sizes[message_id])]
            arrivals = {r: Arrival(object=InputObject(url=r), receipt=r, seen_at=NOW) for r in receipts}
            self.deliveries.add(Delivery(message, NOW, arrivals))

    @rule(data=st.data(), acknowledges=st.booleans())
    def work(self, data: st.DataObject, acknowledges: bool) -> None:
        pending = [f"{id_}/{i}" for id_, size in self.sizes.items() for i in range(size)]
        pending = [receipt for receipt in pending if self.deliveries.arrival(receipt)]
        done = data.draw(st.lists(st.sampled_from(pending), unique=True)) if pending else []
        self.checkpoint = list(self.deliveries.done_ids(done, NOW))
        self.finished |= set(done)
        if acknowledges:
            self.deliveries.done(done)
        else:
            self.crash()

    @rule()
    def crash(self) -> None:
        self.deliveries = Deliveries()
        self.deliveries.restore(self.checkpoint, NOW + timedelta(hours=1))

    @rule(message_id=consumes(messages))
    def let_go(self, message_id: str) -> None:
        self.deliveries.forget(message_id)

    @rule(fails=st.booleans())
    def delete(self, fails: bool) -> None:
        handles = self.deliveries.to_delete()
        if fails:
            self.deliveries.deletion_failed(handles, NOW)
        else:
            self.deleted |= handles.keys()
            self.deliveries.deleted(handles)

    @invariant()
    def a_message_is_deleted_only_when_all_of_it_is_in_a_checkpoint(self) -> None:
        for message_id in self.deleted | self.deliveries.to_delete().keys():
            assert {f"{message_id}/{index}" for index in range(self.sizes[message_id])} <= self.finished

    @invariant()
    def a_checkpoint_names_only_what_is_done(self) -> None:
        for message_id in self.checkpoint:
            assert {f"{message_id}/{index}" for index in range(self.sizes[message_id])} <= self.finished


TestQueue = Queue.TestCase
TestQueue.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
