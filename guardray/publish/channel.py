"""One destination's way out of the outbox, round by round, as a plain class without a thread or a clock of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from guardray.publish.destination import Destination
from guardray.publish.retrying import PAUSE_MOST_S, Uniform, asked_for, backoff_s, retry_at
from guardray.publish.sending import Failure, Outcome, Sender
from guardray.store.outbox import Delivery, Outbox

Clock = Callable[[], datetime]

POLL_S = 1.0
"""How long a finding that another process commits stays unnoticed."""

LEASE = timedelta(minutes=2)
"""How long a claim holds: what a publisher that was killed had claimed is sent again when it is over.

A round starts no request after a quarter of it, and no request takes more than half of it, so that only a dead
publisher's claim runs out.
"""


@dataclass(frozen=True, kw_only=True)
class Round:
    """What came of one round.

    Attributes:
        given_up: how many of those that failed are dead letters now.
        error: a reason of those that failed.
        wait_s: until the next round is worthwhile.
    """

    destination: str
    sent: int = 0
    failed: int = 0
    given_up: int = 0
    error: str | None = None
    wait_s: float = 0.0


class Channel:
    """Claims what is due at a destination, sends it, and notes what came of it."""

    def __init__(
        self,
        destination: Destination,
        sender: Sender,
        outbox: Outbox,
        *,
        clock: Clock,
        uniform: Uniform,
        lease: timedelta = LEASE,
    ) -> None:
        self.destination = destination
        self._sender = sender
        self._outbox = outbox
        self._clock = clock
        self._uniform = uniform
        self._lease = lease
        self._failed_rounds = 0

    def round(self, stopped: Callable[[], bool] = lambda: False) -> Round:
        """Send one batch of what is due. Raises StoreError when the outbox cannot be read or written.

        Args:
            stopped: asked between requests; when it says so, the rest is given back.
        """
        name = self.destination.name
        if (idle_s := self._idle_s()) > 0:
            return Round(destination=name, wait_s=idle_s)
        started = self._clock()
        claimed = self._outbox.claim(name, limit=self._sender.batch, now=started, lease=self._lease)
        outcomes = self._send(claimed, started, stopped)
        tried = {delivery.finding_id for delivery, _ in outcomes}
        self._outbox.release([delivery for delivery in claimed if delivery.finding_id not in tried])
        sent = [delivery for delivery, failure in outcomes if failure is None]
        self._outbox.done(sent, now=self._clock(), update_every=self.destination.frequency)
        failures = [(delivery, failure) for delivery, failure in outcomes if failure is not None]
        given_up = self._note(failures)
        return Round(
            destination=name,
            sent=len(sent),
            failed=len(failures),
            given_up=given_up,
            error=failures[-1][1].reason if failures else None,
            wait_s=self._pause_s(sent, failures),
        )

    def close(self) -> None:
        """Let go of connections."""
        self._sender.close()

    def _idle_s(self) -> float:
        now = self._clock()
        due = self._outbox.next_due(self.destination.name, now)
        until_due = POLL_S if due is None else (due - now).total_seconds()
        return min(until_due, POLL_S)

    def _send(self, claimed: Sequence[Delivery], started: datetime, stopped: Callable[[], bool]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        try:
            for outcome in self._sender.send(claimed, started):
                outcomes.append(outcome)
                if stopped() or self._clock() - started >= self._lease / 4:
                    break
        except Exception as error:  # whatever it is, it must not end the destination, and it is told of
            told = {delivery.finding_id for delivery, _ in outcomes}
            failure = Failure(f"failed with {type(error).__name__}, which is an error of guardray")
            outcomes += [(delivery, failure) for delivery in claimed if delivery.finding_id not in told]
        return outcomes

    def _note(self, failures: Sequence[tuple[Delivery, Failure]]) -> int:
        """Note failures, alike ones together: they come again together, too. Returns how many are given up."""
        now, given_up = self._clock(), 0
        alike: dict[tuple[Failure, int, datetime | None], list[Delivery]] = {}
        for delivery, failure in failures:
            alike.setdefault((failure, delivery.attempts, delivery.failing_since), []).append(delivery)
        for (failure, _, _), deliveries in alike.items():
            again = retry_at(deliveries[0], failure, self.destination, now, self._uniform)
            noted = self._outbox.failed(deliveries, error=failure.reason, now=now, retry_at=again)
            given_up += noted if again is None else 0
        return given_up

    def _pause_s(self, sent: Sequence[Delivery], failures: Sequence[tuple[Delivery, Failure]]) -> float:
        """How long a destination at which nothing arrived is left alone, so that a broken one is not flooded."""
        if sent or not failures:
            self._failed_rounds = 0
            return 0.0
        self._failed_rounds += 1
        asked_s = max(asked_for(failure) for _, failure in failures).total_seconds()
        return asked_s + backoff_s(self._failed_rounds, self._uniform, PAUSE_MOST_S)
