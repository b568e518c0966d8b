"""A clock that leaps ahead does not let event time leap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from guardray.dataflow.scan import ScanSettings
from guardray.detectors.loader import load_detectors
from guardray.intel.store import IndicatorStore
from guardray.service.listener import Listener
from guardray.service.steady_clock import BELIEVED, LEAP, SteadyClock
from tests.service.running import Clock, Service, folder_source

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
YEAR = timedelta(days=365)


class Machine:
    """A clock on the wall, and the time that really passes."""

    def __init__(self) -> None:
        self.wall, self.seconds = NOON, 0.0
        self.told: list[str] = []
        self.clock = SteadyClock(lambda: self.wall, self.told.append, lambda: self.seconds)
        self.clock()

    def passes(self, time: timedelta) -> datetime:
        self.wall += time
        self.seconds += time.total_seconds()
        return self.clock()


def test_it_goes_with_the_clock_on_the_wall():
    machine = Machine()
    for hours in (1, 5, 24):
        assert machine.passes(timedelta(hours=hours)) == machine.wall
    machine.wall -= timedelta(hours=2)
    assert machine.clock() == machine.wall
    machine.wall += LEAP / 2
    assert machine.clock() == machine.wall
    assert not machine.told


def test_a_leap_that_is_put_right_again_never_counts():
    machine = Machine()
    machine.wall += YEAR
    assert machine.passes(timedelta(minutes=5)) == NOON + timedelta(minutes=5)
    machine.wall -= YEAR
    assert machine.passes(timedelta(minutes=5)) == NOON + timedelta(minutes=10)
    (told,) = machine.told
    assert "leapt ahead by 365 days" in told


def test_a_leap_that_lasts_is_believed():
    machine = Machine()
    machine.wall += timedelta(hours=8)  # the machine slept
    machine.clock()
    assert machine.passes(BELIEVED) == NOON + timedelta(hours=8) + BELIEVED
    assert machine.passes(timedelta(hours=1)) == machine.wall
    assert len(machine.told) == 1


def test_a_leap_that_logs_are_dated_by_is_believed():
    machine = Machine()
    machine.wall += timedelta(hours=8)
    machine.clock()
    machine.clock.heard(NOON + timedelta(hours=8))
    assert machine.clock() == machine.wall


def test_logs_of_the_future_are_not_believed_without_the_clock():
    machine = Machine()
    machine.clock.heard(NOON + YEAR)
    assert machine.passes(timedelta(minutes=1)) == NOON + timedelta(minutes=1)


class Heard(Listener):
    def __init__(self) -> None:
        self.problems: list[str] = []

    def on_problem(self, problem: str) -> None:
        self.problems.append(problem)


def test_a_service_whose_clock_leaps_for_a_while_does_not_close_what_is_still_to_come(
    tmp_path: Path, state: dict[str, Any]
):
    settings = ScanSettings(detectors=load_detectors(), indicators=IndicatorStore())
    clock, heard = Clock(), Heard()
    logs = tmp_path / "logs"
    logs.mkdir()
    service = Service(settings, folder_source(logs, clock), **state, clock=clock, listener=heard)
    service.start()
    clock.now += YEAR
    for _ in range(3):
        service.coordinator.step()
    reached = service.coordinator._progress.reached
    service.store.close()
    assert reached < (clock.now - YEAR / 2).timestamp() * 1_000_000
    assert any("leapt ahead" in problem for problem in heard.problems)
