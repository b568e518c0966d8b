"""The service comes to what a scan of the same input finds, whatever happens meanwhile."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from guardray.dataflow.scan import ScanSettings
from guardray.errors import CrewLostError, FencedError
from guardray.service.crew import LocalCrew
from guardray.service.listener import Listener
from guardray.service.pace import Pace
from guardray.sources.set_aside import SetAside
from tests.service.dying import Fuse, Killed
from tests.service.running import Clock, Plain, Service, folder_source, stored

State = dict[str, Any]


def test_an_undisturbed_run_finds_what_a_scan_finds(
    settings: ScanSettings, account: Path, scanned: Plain, state: State
):
    Service(settings, folder_source(account / "AWSLogs"), **state).run()
    assert stored(state["store_url"]) == scanned


def test_an_epoch_of_one_object_or_of_all_finds_the_same(
    settings: ScanSettings, account: Path, scanned: Plain, state: State
):
    Service(settings, folder_source(account / "AWSLogs"), **state, pace=Pace(max_objects=100_000)).run()
    assert stored(state["store_url"]) == scanned


def test_a_service_that_is_stopped_and_started_goes_on(
    settings: ScanSettings, account: Path, scanned: Plain, state: State
):
    for _ in range(3):
        service = Service(settings, folder_source(account / "AWSLogs"), **state)
        service.start()
        for _ in range(3):
            service.coordinator.step()
        service.coordinator.stop()
        service.store.close()
    Service(settings, folder_source(account / "AWSLogs"), **state).run()
    assert stored(state["store_url"]) == scanned


def test_another_number_of_shards_goes_on_from_the_same_checkpoint(
    settings: ScanSettings, account: Path, scanned: Plain, state: State
):
    for shards in (2, 4, 1):
        service = Service(settings, folder_source(account / "AWSLogs"), **state, crew=LocalCrew(settings, shards))
        service.start()
        for _ in range(3):
            service.coordinator.step()
        service.coordinator.stop()
        service.store.close()
    Service(settings, folder_source(account / "AWSLogs"), **state, crew=LocalCrew(settings, 3)).run()
    assert stored(state["store_url"]) == scanned


def dies(service: Service, fuse: Fuse) -> bool:
    """Runs until the fuse is burnt, or to the end."""
    coordinator = service.coordinator
    fuse.wire(service.store.epochs, "commit")
    fuse.wire(service.store.checkpoints, "register")
    fuse.wire(coordinator._crew, "process", "advance", "crossing", "write")
    fuse.wire(coordinator._source, "acknowledge", "position")
    try:
        service.run()
    except Killed:
        service.store.close()
        return True
    return False


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_moment_it_finds_the_same(
    settings: ScanSettings, account: Path, scanned: Plain, state: State, seed: int
):
    chance = random.Random(seed)
    deaths = 0
    while dies(Service(settings, folder_source(account / "AWSLogs"), **state, pace=OFTEN), Fuse(chance.randint(1, 60))):
        deaths += 1
    assert deaths >= 2
    assert stored(state["store_url"]) == scanned


OFTEN = Pace(max_objects=100, checkpoint_every=timedelta(seconds=10))


class FragileCrew(LocalCrew):
    """Loses a worker or a shard at chosen calls."""

    def __init__(self, settings: ScanSettings, losses: Sequence[int], poison: str = "?") -> None:
        super().__init__(settings, shards=2)
        self._losses, self._poison = set(losses), poison
        self._calls = 0

    def _call(self) -> None:
        self._calls += 1
        if self._calls in self._losses:
            self._shards = []  # what they held is gone
            raise CrewLostError("a worker is gone")

    def process(self, objects, at, lists):
        self._call()
        if any(obj.url == self._poison for obj in objects):
            raise CrewLostError("a worker is gone")
        return super().process(objects, at, lists)

    def advance(self, watermark, forget_before, models):
        self._call()
        return super().advance(watermark, forget_before, models)

    def write(self, draft):
        self._call()
        return super().write(draft)


def test_lost_workers_and_shards_are_made_anew_and_nothing_is_lost_or_double(
    settings: ScanSettings, account: Path, scanned: Plain, state: State
):
    crew = FragileCrew(settings, losses=[3, 4, 9, 15, 20, 21, 22])
    Service(settings, folder_source(account / "AWSLogs"), **state, crew=crew, pace=OFTEN).run()
    assert stored(state["store_url"]) == scanned


class Heard(Listener):
    def __init__(self) -> None:
        self.set_aside: list[SetAside] = []
        self.problems: list[str] = []

    def on_set_aside(self, set_aside: SetAside) -> None:
        self.set_aside.append(set_aside)

    def on_problem(self, problem: str) -> None:
        self.problems.append(problem)


def test_an_object_that_ends_its_worker_again_and_again_is_set_aside_and_the_rest_goes_on(
    settings: ScanSettings, account: Path, scanned: Plain, state: State, tmp_path: Path
):
    logs = tmp_path / "logs"
    shutil.copytree(account / "AWSLogs", logs)
    poison = next(logs.rglob("*.gz")).with_name("111122223333_CloudTrail_us-east-1_20260105T1200Z_poison.json.gz")
    poison.write_bytes(b"poison")
    heard = Heard()
    crew = FragileCrew(settings, losses=[], poison=str(poison))
    Service(settings, folder_source(logs), **state, crew=crew, listener=heard).run()
    assert [one.url for one in heard.set_aside] == [str(poison)]
    assert stored(state["store_url"]) == scanned


def test_a_service_that_another_has_replaced_writes_nothing_any_more(
    settings: ScanSettings, account: Path, state: State
):
    old = Service(settings, folder_source(account / "AWSLogs"), **state)
    old.start()
    old.coordinator.step()
    before = stored(state["store_url"])
    new = Service(settings, folder_source(account / "AWSLogs"), **state)
    new.start()
    with pytest.raises(FencedError):
        old.coordinator.step()
    with pytest.raises(FencedError):
        old.coordinator.checkpoint()
    assert stored(state["store_url"]) == before
    old.store.close()
    new.store.close()


def test_a_damaged_checkpoint_is_told_of_and_the_one_before_is_used(
    settings: ScanSettings, account: Path, scanned: Plain, state: State
):
    service = Service(settings, folder_source(account / "AWSLogs"), **state)
    service.start()
    for _ in range(4):
        service.coordinator.step()
        service.coordinator.checkpoint()
    newest = service.store.checkpoints.sound()[0]
    service.store.close()
    for file in (Path(state["checkpoints_url"]) / newest.folder).rglob("*.arrow*"):
        file.write_bytes(file.read_bytes()[:-1] + b"?")
    heard = Heard()
    Service(settings, folder_source(account / "AWSLogs"), **state, listener=heard).run()
    assert any("its bytes are not those that were written" in problem for problem in heard.problems)
    assert stored(state["store_url"]) == scanned


def test_findings_are_shown_before_their_windows_close(settings: ScanSettings, account: Path, state: State):
    service = Service(settings, folder_source(account / "AWSLogs"), **state, pace=Pace(max_objects=100_000))
    service.start()
    service.coordinator.step()
    shown = stored(state["store_url"])
    service.coordinator.finish()
    final = stored(state["store_url"])
    service.store.close()
    assert shown.keys() <= final.keys()
    assert len(shown) >= 0.9 * len(final)


def test_objects_in_any_order_within_the_bound_find_the_same(
    settings: ScanSettings, account: Path, scanned: Plain, state: State
):
    source = folder_source(account / "AWSLogs", Clock())
    poll = source.poll
    chance = random.Random(3)

    def shuffled(limit: int):
        arrivals = poll(limit)
        chance.shuffle(arrivals)
        return arrivals

    source.poll = shuffled  # type: ignore[method-assign]
    Service(settings, source, **state).run()
    assert stored(state["store_url"]) == scanned
