"""The loop of a service: its heartbeat, how it ends, and what its status says of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from guardray.connectors.many import ManySources
from guardray.dataflow.scan import ScanSettings
from guardray.detectors.loader import load_detectors
from guardray.errors import CrewLostError, FencedError, OutgrownError, RefusedStateError
from guardray.intel.store import IndicatorStore
from guardray.service import loop as loops
from guardray.service.account import Account
from guardray.service.loop import Loop
from guardray.service.memory_limit import MemoryLimit
from guardray.service.status import LATELY, UNSTEADY, Phase, ServiceStatus, decoded
from guardray.store.database import Database
from guardray.store.service_status import StatusBoard
from tests.service.running import Clock, Service, folder_source

SETTINGS = ScanSettings(detectors=load_detectors(), indicators=IndicatorStore())

State = dict[str, Any]


class Running:
    """A loop in a thread of its own."""

    def __init__(self, folder: Path, state: State) -> None:
        self.source = ManySources([folder_source(folder)])
        self.account = Account(Clock())
        self.service = Service(SETTINGS, self.source, **state, listener=self.account)
        self.board = StatusBoard(Database(state["store_url"]))
        clock = Clock()
        self.fence = self.service.store.lease.acquire("this", clock(), timedelta(seconds=10), take_over=True)
        self.loop = Loop(self.service.coordinator, self.source, self.service.store, self.board, self.account, clock)
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self.loop.run(self.fence)
        except BaseException as error:
            self.error = error

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        self._thread.join(30)
        assert not self._thread.is_alive()

    def status(self) -> ServiceStatus:
        content = self.board.read()
        assert content is not None
        return decoded(content)


@pytest.fixture
def running(tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(loops, "BEAT_S", 0.05)
    logs = tmp_path / "logs"
    logs.mkdir()
    one = Running(logs, state)
    yield one
    one.loop.stop()
    if one._thread.ident is not None:
        one.join()
    one.service.store.close()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_error_that_nobody_expects_is_told_and_the_heart_beats_on(running: Running):
    renew, calls = running.service.store.lease.renew, []

    def failing(*args: Any) -> None:
        calls.append(args)
        if len(calls) == 1:
            raise RuntimeError("a bug")
        renew(*args)

    running.service.store.lease.renew = failing
    running.start()
    until(lambda: len(calls) > 3)
    assert any("the heartbeat failed, and goes on" in one.text for one in running.account._known_problems())


def test_one_that_is_replaced_while_it_waits_for_workers_ends(running: Running, state: State):
    def never(kept: object) -> None:
        time.sleep(0.01)
        raise CrewLostError("no core is free")

    running.service.coordinator._crew.start = never
    running.start()
    until(lambda: running.loop.phase is Phase.RESTORING)
    running.service.store.lease.acquire("another", Clock()(), timedelta(seconds=10), take_over=True)
    running.join()
    assert isinstance(running.error, FencedError)


def test_one_that_is_told_to_stop_while_it_waits_for_workers_ends_and_lets_go_of_the_lease(running: Running):
    def never(kept: object) -> None:
        time.sleep(0.01)
        raise CrewLostError("no core is free")

    running.service.coordinator._crew.start = never
    running.start()
    until(lambda: running.loop.phase is Phase.RESTORING)
    running.loop.stop()
    running.join()
    assert running.error is None
    assert running.status().phase is Phase.STOPPED
    assert running.service.store.lease.holder(Clock()()) is None


def test_one_that_cannot_go_on_says_why_and_what_to_do_and_lets_go_of_the_lease(running: Running, state: State):
    running.start()
    until(lambda: running.loop.phase is Phase.RUNNING)
    running.loop.stop()
    running.join()
    for file in Path(state["checkpoints_url"]).rglob("*.arrow*"):
        file.unlink()
    again = Running(running.service.coordinator._source._by_index[0]._config.path, state)
    again.start()
    again.join()
    assert isinstance(again.error, RefusedStateError)
    status = again.status()
    assert status.phase is Phase.REFUSED
    assert "guardray state reset" in str(status.refusal)
    assert status.refusal == status.problems[-1].text
    assert state["checkpoints_url"] not in str(status.not_ready(status.told_at))  # which anybody may ask for
    assert again.service.store.lease.holder(Clock()()) is None
    again.service.store.close()


def test_a_service_that_loses_workers_again_and_again_is_not_ready():
    clock = Clock()
    account = Account(clock)
    for _ in range(UNSTEADY):
        account.on_loss()
    status = account.status(Phase.RUNNING, 1)
    assert "were lost 10 times in the last 10 minutes" in str(status.not_ready(status.told_at))
    clock.now += LATELY
    later = account.status(Phase.RUNNING, 1)
    assert later.not_ready(later.told_at) is None
    assert later.counts.restarts == UNSTEADY


def test_problems_are_counted_for_the_source_that_has_them(running: Running, tmp_path: Path):
    odd = tmp_path / "logs" / "odd\udcff.json"
    odd.write_text("{}")
    running.start()
    until(lambda: any(source.problems for source in running.account.sources))
    assert [source.problems for source in running.account.sources] == [1]


def test_one_that_takes_too_much_memory_writes_a_checkpoint_and_makes_room_for_another(running: Running):
    running.loop._limit = MemoryLimit(most=0, youth_s=0)
    running.start()
    running._thread.join(30)
    assert isinstance(running.error, OutgrownError)
    assert running.loop.phase is Phase.RESTORING
    assert running.service.store.checkpoints.sound()
    assert running.service.store.lease.holder(Clock()()) is not None


def test_one_that_takes_too_much_from_its_start_on_goes_on_and_says_which_setting_is_too_low(running: Running):
    running.loop._limit = MemoryLimit(most=0)
    running.start()
    until(lambda: any("memory.other_mb" in one.text for one in running.account._known_problems()))
    assert running.loop.phase is Phase.RUNNING
