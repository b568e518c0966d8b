"""The publisher: a thread a destination, so that a slow one holds nobody up."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from guardray.errors import StoreError
from guardray.publish.channel import LEASE, Channel, Clock, Round
from guardray.publish.destination import Destination
from guardray.publish.retrying import PAUSE_MOST_S, Uniform, backoff_s
from guardray.store.outbox import Outbox
from guardray.store.outbox_register import Registered

STOP_S = 60.0
"""How long stopping waits for requests that are under way; each has a shorter time limit of its own."""

_STOP_NOTICED_S = 0.1


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


class Publisher:
    """Sends what is due in an outbox to its destinations.

    Args:
        outbox: shared by all threads; it is the caller's to close.
        folder: where relative paths in the destinations start.
        lease: see `guardray.publish.channel.LEASE`.
        on_round: told of each round in which something was tried, by the destination's thread.

    Raises:
        UsageError: a destination lacks a secret, a Region or a profile.
        StoreError: the outbox cannot be written.
    """

    def __init__(
        self,
        destinations: Sequence[Destination],
        outbox: Outbox,
        folder: Path,
        *,
        on_round: Callable[[Round], None] = lambda _: None,
        clock: Clock = utc_now,
        uniform: Uniform = random.uniform,
        lease: timedelta = LEASE,
    ) -> None:
        self._on_round = on_round
        self._uniform = uniform
        self._stop_asked = False
        self._stopping = threading.Event()
        self._channels = [
            Channel(one, one.sender(folder), outbox, clock=clock, uniform=uniform, lease=lease) for one in destinations
        ]
        self.registered: Registered = outbox.register([one.subscription() for one in destinations], clock())

    def run(self) -> tuple[str, ...]:
        """Publish until `stop` is called, from a signal handler or another thread.

        Returns:
            the destinations that were still busy when stopping took too long; what they had claimed is sent again
            when the claim runs out.
        """
        return self._in_threads(self._keep_publishing)

    def run_once(self) -> tuple[str, ...]:
        """Send what is due now, as long as something arrives; the rest is left for later. Returns as `run` does."""
        return self._in_threads(self._publish_due)

    def stop(self) -> None:
        """Finish the requests that are under way, and no others."""
        # Not the event: a signal handler may run while this very thread holds the event's lock.
        self._stop_asked = True

    def close(self) -> None:
        """Let go of connections."""
        for channel in self._channels:
            channel.close()

    def _in_threads(self, work: Callable[[Channel], None]) -> tuple[str, ...]:
        unforeseen: list[Exception] = []

        def until_unforeseen(channel: Channel) -> None:
            try:
                work(channel)
            except Exception as error:  # a destination must not end unnoticed: the publisher ends, and tells
                unforeseen.append(error)
                self.stop()

        # Daemons: one that hangs in spite of its time limits must not keep the process alive.
        threads = [
            threading.Thread(
                target=until_unforeseen, args=[channel], name=f"publish {channel.destination.name}", daemon=True
            )
            for channel in self._channels
        ]
        for thread in threads:
            thread.start()
        while not self._stop_asked and any(thread.is_alive() for thread in threads):
            time.sleep(_STOP_NOTICED_S)
        if self._stop_asked:
            self._stopping.set()
        deadline = time.monotonic() + STOP_S
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0))
        if unforeseen:
            raise unforeseen[0]
        return tuple(
            channel.destination.name
            for channel, thread in zip(self._channels, threads, strict=True)
            if thread.is_alive()
        )

    def _keep_publishing(self, channel: Channel) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                done = channel.round(self._stopping.is_set)
                failures = 0
            except StoreError as error:  # a database that is restarted comes back
                failures += 1
                wait_s = backoff_s(failures, self._uniform, PAUSE_MOST_S)
                done = Round(destination=channel.destination.name, error=str(error), wait_s=wait_s)
            self._tell(done)
            self._stopping.wait(done.wait_s)

    def _publish_due(self, channel: Channel) -> None:
        while not self._stopping.is_set():
            try:
                done = channel.round(self._stopping.is_set)
            except StoreError as error:
                done = Round(destination=channel.destination.name, error=str(error))
            self._tell(done)
            if not done.sent:
                return

    def _tell(self, done: Round) -> None:
        if done.sent or done.error is not None:
            self._on_round(done)
