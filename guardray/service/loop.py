"""The loop that a coordinator runs in: epochs for as long as nobody says stop, a heartbeat, and a status."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from guardray.connectors.many import ManySources
from guardray.connectors.source import Clock
from guardray.errors import (
    DetectorError,
    FencedError,
    OutgrownError,
    RefusedStateError,
    StoppedError,
    StoreError,
)
from guardray.service.account import Account
from guardray.service.coordinator import Coordinator
from guardray.service.elasticity import Elasticity
from guardray.service.memory_limit import MemoryLimit
from guardray.service.status import IngestStatus, Phase, ShardStatus, SourceStatus, encoded
from guardray.store.service import ServiceStore
from guardray.store.service_status import StatusBoard

LEASE = timedelta(seconds=15)
"""How long a service counts as running after its last heartbeat: a new one waits for so long after a crash."""

BEAT_S = 3.0

POLL_S = 0.5
"""Between looks for something to do: a tenth of what an object may take until its finding is seen."""


class Loop:
    """Runs a coordinator until `stop`.

    Args:
        account: what the coordinator is listened to by.
        elasticity: resizes the crew; None where it stays as it is.
        limit: of this process.
    """

    def __init__(
        self,
        coordinator: Coordinator,
        source: ManySources,
        store: ServiceStore,
        board: StatusBoard,
        account: Account,
        clock: Clock,
        elasticity: Elasticity | None = None,
        limit: MemoryLimit | None = None,
    ) -> None:
        self._coordinator, self._source, self._store, self._board = coordinator, source, store, board
        self._account, self._clock, self._elasticity = account, clock, elasticity
        self._limit = limit or MemoryLimit()
        self._stopping = threading.Event()
        self._replaced: FencedError | None = None
        self._phase = Phase.STARTING
        self._is_busy = False

    def run(self, fence: int) -> None:
        """Start, and go on until `stop`; then drain and write a last checkpoint.

        Raises:
            FencedError: another process has become the one writer: this one does nothing any more.
            RefusedStateError: it cannot go on from the state that there is, and its status says why.
            OutgrownError: its process takes too much memory: another one is to go on.
        """
        try:
            with self._heartbeat(fence):
                self._work(fence)
        except FencedError:
            self._phase = Phase.STOPPED
            self._coordinator.close()  # else its workers would keep the cores that the new one needs
            raise
        except RefusedStateError as error:
            self._phase = Phase.REFUSED
            self._account.refusal = str(error)
            self._account.on_problem(str(error))
            self._coordinator.close()
            raise
        finally:
            if self._phase in (Phase.STOPPED, Phase.REFUSED) and self._replaced is None:
                with suppress(StoreError):
                    self._save(fence)
                    self._store.lease.release(fence)

    def _work(self, fence: int) -> None:
        try:
            self._phase = Phase.RESTORING
            self._coordinator.start(fence)
            self._phase = Phase.RUNNING
            while not self._stopping.is_set():
                self._step()
                self._mind_memory()
            self._phase = Phase.DRAINING
            self._coordinator.stop()
        except StoppedError:  # what was under way is processed again from the log of epochs
            if self._replaced is not None:
                raise self._replaced from None
            self._coordinator.close()
        self._phase = Phase.STOPPED

    def stop(self) -> None:
        """End after the epoch that is being processed, or at once where that waits for something that does not work.

        From any thread, or a signal handler.
        """
        self._stopping.set()
        self._coordinator.interrupt()

    @property
    def phase(self) -> Phase:
        """What it is at."""
        return self._phase

    @property
    def told(self) -> str:
        """What it is at, for people: how far it is with restoring, or why it refuses to begin."""
        if self._phase is Phase.REFUSED:
            return str(self._account.refusal)
        if self._phase is Phase.RESTORING and (replay := self._account.replay) is not None:
            done, of = replay
            return f"{done:,} of {of:,} epochs since the last checkpoint are processed once more"
        return f"the service is {self._phase}"

    def _step(self) -> None:
        self._is_busy = True
        worked = self._coordinator.step()
        self._is_busy = False
        self._look_around()
        if not worked:
            self._stopping.wait(POLL_S)

    def _mind_memory(self) -> None:
        if self._limit.is_outgrown:
            self._phase = Phase.RESTORING  # by the one that is made anew
            self._coordinator.stop()
            raise OutgrownError("the coordinator takes too much memory, and is made anew")
        if (excess := self._limit.excess) is not None:
            self._account.on_detector_problems([DetectorError("coordinator", excess)])

    @property
    def _workers(self) -> int:
        return 1 if self._elasticity is None else self._elasticity.crew.workers

    def _look_around(self) -> None:
        """Notes for the status what only this thread may ask."""
        account, by_name = self._account, self._source.lags()
        account.on_source_problems(self._source.problems())
        told = self._source.problem_counts
        account.sources = tuple(
            SourceStatus(
                name=name,
                backlog=lag.backlog,
                oldest_s=lag.oldest.total_seconds() if lag.oldest else None,
                problems=told.get(name, 0),
            )
            for name, lag in by_name.items()
        )
        account.pending = self._coordinator.pending
        account.shards = tuple(
            ShardStatus(
                index=index, rows=size.rows, bytes=size.bytes, resident=size.resident or None, evicted=size.evicted
            )
            for index, size in enumerate(self._coordinator.sizes())
        )
        account.evicted = sum(size.evicted for size in self._coordinator.sizes())
        if self._elasticity is not None:
            account.pools = tuple(self._elasticity.crew.pools())
            account.replaced = self._elasticity.crew.replaced
            self._resize(self._elasticity)

    def _resize(self, elasticity: Elasticity) -> None:
        now = time.monotonic()
        lag = self._source.lag(self._coordinator.held)  # what was read needs no worker, and waits for a checkpoint only
        objects, seconds = self._account.latest_epoch()
        elasticity.on_epoch(objects, seconds)
        elasticity.on_look(lag, self._account.objects, now)
        wanted = elasticity.wanted_shards(self._coordinator.sizes(), now)
        if wanted != elasticity.crew.shards:
            self._coordinator.divide(elasticity.crew, wanted)

    @contextmanager
    def _heartbeat(self, fence: int) -> Iterator[None]:
        ended = threading.Event()
        heart = threading.Thread(target=self._beat, args=(fence, ended), name="heartbeat", daemon=True)
        heart.start()
        try:
            yield
        finally:
            ended.set()
            heart.join()

    def _beat(self, fence: int, ended: threading.Event) -> None:
        """Says every few seconds that this process lives, and how it stands, however long an epoch takes."""
        while not ended.wait(BEAT_S):
            try:
                self._store.lease.renew(fence, self._clock(), LEASE)
                self._save(fence)
            except FencedError as error:  # also where the coordinator waits for something and writes nothing
                self._replaced = error
                self.stop()
                return
            except StoreError:
                pass  # the coordinator itself meets it too, and tells
            except Exception as error:  # without a heartbeat a service that works would count as gone
                self._account.on_problem(f"the heartbeat failed, and goes on: {error!r}")

    def _save(self, fence: int) -> None:
        self._account.ingest = IngestStatus(workers=self._workers, busy=self._workers if self._is_busy else 0)
        status = self._account.status(self._phase, fence)
        with suppress(FencedError):
            self._board.save(encoded(status), status.told_at, fence)
