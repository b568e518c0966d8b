"""What is refused, wrong or gone for a moment costs nothing that was found, and does not end the service."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from guardray.checkpoints.checkpoints import KEPT
from guardray.checkpoints.epoch import EpochInput
from guardray.connectors.many import ManySources
from guardray.dataflow.event_time import microseconds
from guardray.dataflow.scan import ScanSettings
from guardray.dataflow.worker import IngestReport
from guardray.errors import CrewLostError, DetectorError, FencedError, StoreError
from guardray.service.account import PROBLEMS_KEPT, Account
from guardray.service.crew import LocalCrew
from guardray.service.loop import Loop
from guardray.service.pace import Pace
from guardray.service.status import Phase, encoded
from guardray.service.watermark import LiveWatermark, Patience
from guardray.sources.objects import InputObject
from guardray.sources.set_aside import SetAside
from guardray.store.database import Database
from guardray.store.service_status import StatusBoard
from tests.service.running import Clock, Plain, Service, folder_source, stored

State = dict[str, Any]

OFTEN = Pace(max_objects=100, checkpoint_every=timedelta(seconds=10))


def refuses_every_second_time(thing: object, name: str) -> None:
    call, calls = getattr(thing, name), 0

    def refusing(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls % 2:
            raise StoreError("the database is being started")
        return call(*args, **kwargs)

    setattr(thing, name, refusing)


def test_a_store_that_refuses_while_checkpoints_are_written_ends_nothing(
    settings: ScanSettings, account: Path, scanned: Plain, state: State
):
    service = Service(settings, folder_source(account / "AWSLogs"), **state, pace=OFTEN)
    service.start()
    for name in ("all", "register", "sound", "forget"):
        refuses_every_second_time(service.store.checkpoints, name)
    service.coordinator.finish()
    service.coordinator.stop()
    service.store.close()
    assert stored(state["store_url"]) == scanned


class SlowDiskCrew(LocalCrew):
    """Is lost once; then what was read cannot be read again at once, and comes back worker by worker."""

    def __init__(self, settings: ScanSettings, lost_at: int) -> None:
        super().__init__(settings, shards=2)
        self._calls, self._lost_at, self._starts = 0, lost_at, 0
        self._refusals: dict[str, int] = {}

    def start(self, kept):
        super().start(kept)
        self._starts += 1

    def process(self, objects: Sequence[InputObject], at: int, lists: str) -> list[IngestReport]:
        self._calls += 1
        if self._calls == self._lost_at:
            raise CrewLostError("a worker is gone")
        if self._starts < 2 or not objects:
            return super().process(objects, at, lists)
        for place, obj in enumerate(objects):
            self._refusals.setdefault(obj.url, 1 + place % 2)
        refused = [obj for obj in objects if self._refusals[obj.url]]
        for obj in refused:
            self._refusals[obj.url] -= 1
        aside = [SetAside(obj.url, None, "connect timeout") for obj in refused]
        rest = [one for one in objects if one not in refused]
        return [IngestReport(set_aside=aside), *super().process(rest, at, lists)]


def test_what_cannot_be_read_again_at_once_is_waited_for_whichever_worker_was_to_read_it(
    settings: ScanSettings, account: Path, scanned: Plain, state: State
):
    pace = Pace(max_objects=100, checkpoint_every=timedelta(hours=1))
    crew = SlowDiskCrew(settings, lost_at=5)
    Service(settings, folder_source(account / "AWSLogs"), **state, crew=crew, pace=pace).run()
    assert stored(state["store_url"]) == scanned


class ThrottledCrew(LocalCrew):
    """Cannot read one object for a while."""

    def __init__(self, settings: ScanSettings, url: str, refusals: int) -> None:
        super().__init__(settings, shards=2)
        self._url, self.refusals = url, refusals

    def process(self, objects: Sequence[InputObject], at: int, lists: str) -> list[IngestReport]:
        refused = [obj for obj in objects if obj.url == self._url and self.refusals]
        self.refusals -= len(refused)
        aside = [SetAside(obj.url, None, "An error occurred (SlowDown)") for obj in refused]
        rest = [one for one in objects if one not in refused]
        return [IngestReport(set_aside=aside), *super().process(rest, at, lists)]


def test_an_object_that_the_store_is_too_busy_for_is_waited_for_while_hours_of_others_are_read(
    settings: ScanSettings, account: Path, scanned: Plain, state: State
):
    busy = sorted((account / "AWSLogs").rglob("*CloudTrail*T00*.gz"))[0]
    crew = ThrottledCrew(settings, str(busy), refusals=6)
    service = Service(settings, folder_source(account / "AWSLogs"), **state, crew=crew)
    service.start()
    for _ in range(100):
        service.coordinator.step()
    assert not crew.refusals
    service.coordinator.finish()
    service.coordinator.stop()
    service.store.close()
    assert stored(state["store_url"]) == scanned


class BadRowCrew(LocalCrew):
    """Sets a row of each object aside, whose text reads like an outage."""

    def process(self, objects: Sequence[InputObject], at: int, lists: str) -> list[IngestReport]:
        bad = [SetAside(obj.url, 7, "no such field: 'connect timeout'", b"{}") for obj in objects]
        return [*super().process(objects, at, lists), IngestReport(set_aside=bad)]


def test_a_bad_row_that_reads_like_an_outage_does_not_bring_its_object_back(
    settings: ScanSettings, account: Path, scanned: Plain, state: State
):
    source = folder_source(account / "AWSLogs")
    released: list[str] = []
    source.release = lambda receipts, failure: released.extend(receipts)  # type: ignore[method-assign]
    Service(settings, source, **state, crew=BadRowCrew(settings)).run()
    assert not released
    assert stored(state["store_url"]) == scanned


def test_a_clock_that_is_put_back_does_not_keep_checkpoints_from_being_written(
    settings: ScanSettings, tmp_path: Path, state: State
):
    clock = Clock()
    service = Service(settings, folder_source(tmp_path), **state, clock=clock)
    service.start()
    service.coordinator.step()
    clock.now -= timedelta(days=1)
    service.coordinator.step()
    assert service.store.checkpoints.sound()
    service.store.close()


def test_what_waits_for_a_detector_that_is_gone_is_dropped_and_the_service_goes_on(
    settings: ScanSettings, account: Path, state: State
):
    service = Service(settings, folder_source(account / "AWSLogs"), **state, pace=Pace(max_objects=100_000))
    service.start()
    service.coordinator.step()
    waiting = {key.finding_type for key in service.coordinator._progress.board._pending}
    assert waiting
    service.coordinator.stop()
    service.store.close()
    left = replace(settings, detectors=[one for one in settings.detectors if one.finding_type not in waiting])
    Service(left, folder_source(account / "AWSLogs"), **state).run()
    assert stored(state["store_url"])


def test_an_object_dated_in_the_future_does_not_let_its_stream_be_passed_over():
    now = datetime(2026, 1, 5, 12, tzinfo=UTC)
    patience = Patience(lateness=timedelta(hours=1), disorder=timedelta(0))
    watermark = LiveWatermark(patience, now - patience.idle)
    for hour, name in ((now.replace(year=2099), "a"), (now - timedelta(hours=3), "b")):
        obj = InputObject(url=name, account_id="111122223333", region="eu-west-1", key_time=hour)
        watermark.on_done([EpochInput(source="s", receipt=name, object=obj)], now)
    assert watermark.value(now + timedelta(minutes=5)) == microseconds(now - timedelta(hours=1))


def test_a_file_whose_name_is_not_utf8_is_told_of_and_the_others_are_read(
    settings: ScanSettings, account: Path, scanned: Plain, state: State, tmp_path: Path
):
    logs = tmp_path / "logs"
    shutil.copytree(account / "AWSLogs", logs)
    odd = os.fsdecode(os.fsencode(logs / "odd") + b"\xff.json")
    Path(odd).write_text('{"Records": []}')
    source = folder_source(logs)
    heard = Account(Clock())
    service = Service(settings, source, **state, listener=heard)
    service.start()
    service.coordinator.finish()
    heard.on_source_problems(source.problems())
    encoded(heard.status(Phase.RUNNING, 1))
    assert [problem.text for problem in heard.status(Phase.RUNNING, 1).problems if "not UTF-8" in problem.text]
    service.coordinator.stop()
    service.store.close()
    assert stored(state["store_url"]) == scanned


def test_where_what_is_set_aside_cannot_be_written_down_it_is_counted_and_told_of():
    def full(set_aside: SetAside) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    heard = Account(Clock(), keep=full)
    heard.on_set_aside(SetAside("a.json", None, "unknown format"))
    status = heard.status(Phase.RUNNING, 1)
    assert status.counts.set_aside == 1
    assert [problem.text for problem in status.problems] == [
        "what is set aside cannot be written down: No space left on device"
    ]


def test_problems_that_detectors_tell_of_in_every_epoch_are_logged_once():
    logged: list[str] = []
    heard = Account(Clock(), log=logged.append)
    problems = [DetectorError("Custom:One", f"cannot judge row {row}") for row in range(PROBLEMS_KEPT + 10)]
    for _ in range(3):
        heard.on_detector_problems(problems)
    assert logged == [str(problem) for problem in problems]


def test_manifests_of_checkpoints_that_are_forgotten_are_forgotten(
    settings: ScanSettings, tmp_path: Path, state: State
):
    service = Service(settings, folder_source(tmp_path), **state)
    service.start()
    for _ in range(3 * KEPT):
        service.coordinator.step()
        assert service.coordinator.checkpoint()
    assert len(service.coordinator._checkpointing._checkpoints._manifests) <= KEPT
    service.store.close()


def test_a_service_that_is_replaced_lets_go_of_its_workers(settings: ScanSettings, tmp_path: Path, state: State):
    crew = LocalCrew(settings)
    source = ManySources([folder_source(tmp_path)])
    service = Service(settings, source, **state, crew=crew)
    clock = Clock()
    fence = service.store.lease.acquire("old", clock(), timedelta(seconds=10))
    service.store.lease.acquire("new", clock(), timedelta(seconds=10), take_over=True)
    board = StatusBoard(Database(state["store_url"]))
    loop = Loop(service.coordinator, source, service.store, board, Account(clock), clock)
    with pytest.raises(FencedError):
        loop.run(fence)
    assert loop.phase is Phase.STOPPED
    assert not crew.sizes()
    service.store.close()
