"""What is refused, wrong or gone for a moment costs nothing that was found, and does not end the service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from guardray.checkpoints.epoch import EpochInput
from guardray.dataflow.event_time import microseconds
from guardray.dataflow.scan import ScanSettings
from guardray.dataflow.worker import IngestReport
from guardray.errors import CrewLostError, StoreError
from guardray.service.coordinator import Pace
from guardray.service.crew import LocalCrew
from guardray.service.watermark import LiveWatermark, Patience
from guardray.sources.objects import InputObject
from guardray.sources.set_aside import SetAside
from tests.service.running import Clock, Plain, Service, folder_source, settings_of, stored

State = dict[str, Any]

OFTEN = Pace(max_objects=100, checkpoint_every=timedelta(seconds=10))


@pytest.fixture(scope="session")
def settings(account: Path) -> ScanSettings:
    return settings_of(account)


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
        self._refused: set[str] = set()

    def start(self, kept):
        super().start(kept)
        self._starts += 1

    def process(self, objects: Sequence[InputObject], at: int) -> list[IngestReport]:
        self._calls += 1
        if self._calls == self._lost_at:
            raise CrewLostError("a worker is gone")
        if self._starts < 2 or not objects:
            return super().process(objects, at)
        half = (len(objects) + 1) // 2
        return self._reluctant(objects[:half], at, 2) + self._reluctant(objects[half:], at, 1)

    def _reluctant(self, objects: Sequence[InputObject], at: int, times: int) -> list[IngestReport]:
        refused = [obj for obj in objects if f"{obj.url} {times}" not in self._refused]
        if refused:
            self._refused |= {f"{obj.url} {left}" for obj in refused for left in range(times, 3)}
            return [IngestReport(set_aside=[SetAside(obj.url, None, "connect timeout") for obj in objects])]
        return super().process(objects, at)


def test_what_cannot_be_read_again_at_once_is_waited_for_whichever_worker_was_to_read_it(
    settings: ScanSettings, account: Path, scanned: Plain, state: State
):
    pace = Pace(max_objects=100, checkpoint_every=timedelta(hours=1))
    crew = SlowDiskCrew(settings, lost_at=5)
    Service(settings, folder_source(account / "AWSLogs"), **state, crew=crew, pace=pace).run()
    assert stored(state["store_url"]) == scanned


class BadRowCrew(LocalCrew):
    """Sets a row of each object aside, whose text reads like an outage."""

    def process(self, objects: Sequence[InputObject], at: int) -> list[IngestReport]:
        bad = [SetAside(obj.url, 7, "no such field: 'connect timeout'", b"{}") for obj in objects]
        return [*super().process(objects, at), IngestReport(set_aside=bad)]


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
    watermark = LiveWatermark(patience)
    for hour, name in ((now.replace(year=2099), "a"), (now - timedelta(hours=3), "b")):
        obj = InputObject(url=name, account_id="111122223333", region="eu-west-1", key_time=hour)
        watermark.on_done([EpochInput(source="s", receipt=name, object=obj)], now)
    assert watermark.value(now + timedelta(minutes=5)) == microseconds(now - timedelta(hours=1))
