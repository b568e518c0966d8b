"""Messages that come again and again without being done: what becomes of them, and who is told."""

from __future__ import annotations

from datetime import datetime, timedelta

from guardray.connectors.notifications import Foreign, parse
from guardray.connectors.problems import Problems
from guardray.connectors.queue import Message, Queue, QueueFacts
from guardray.connectors.record import KeptMessage, MessageRecord
from guardray.connectors.source import Clock
from guardray.errors import SourceError

_FACTS_AGE = timedelta(seconds=15)
"""What a queue says of itself is approximate anyway, and asking costs a request."""


class KnownFacts:
    """What a queue last said of itself."""

    def __init__(self, queue: Queue, clock: Clock) -> None:
        self.queue = queue
        self._clock = clock
        self._said: tuple[datetime, QueueFacts] | None = None

    def current(self) -> QueueFacts:
        """Not older than a quarter of a minute.

        Raises:
            SourceError: the queue does not answer, or may not be asked.
        """
        now = self._clock()
        if self._said is None or now - self._said[0] > _FACTS_AGE:
            self._said = (now, self.queue.facts())
        return self._said[1]


class Poison:
    """Decides on messages that have come too often.

    Args:
        facts: of the queue, which may have a redrive policy.
        record: where they are kept if it has none; if not given, they stay in the queue.
        problems: who is told.
    """

    def __init__(self, facts: KnownFacts, record: MessageRecord | None, problems: Problems) -> None:
        self._facts = facts
        self._record = record
        self._problems = problems

    def take(self, message: Message, now: datetime) -> bool:
        """Set a message aside, unless the queue does that; whether it is to be deleted."""
        what = f"message {message.message_id} came {message.receive_count} times without being done"
        if self._has_redrive_policy():
            self._tell(f"{what}: it is left to the queue's redrive policy")
        elif self._record is None:
            self._tell(f"{what}: it stays, as there is neither a redrive policy nor a record")
        else:
            kept = self._kept(message, now)
            try:
                self._record.add(kept)
            except OSError as error:
                self._tell(f"{what}, and {self._record} cannot be written: {error.strerror}")
                return False
            self._tell(f"{what}: {kept.reason}; it is set aside in {self._record}")
            return True
        return False

    def _kept(self, message: Message, now: datetime) -> KeptMessage:
        said = parse(message.body)
        return KeptMessage(
            time=now,
            queue=self._facts.queue.url,
            message_id=message.message_id,
            receive_count=message.receive_count,
            reason=f"it {said.reason}" if isinstance(said, Foreign) else "its objects could not be read",
            body=message.body,
        )

    def _has_redrive_policy(self) -> bool:
        try:
            return self._facts.current().max_receives is not None
        except SourceError as error:
            self._tell(f"{error.reason}: sqs:GetQueueAttributes is needed to see the redrive policy")
            return False

    def _tell(self, reason: str) -> None:
        self._problems.add(self._facts.queue.url, reason)
