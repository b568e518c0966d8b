"""What a service goes on from, and what it does where that cannot be."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from guardray.dataflow.scan import ScanSettings
from guardray.dataflow.worker import IngestReport
from guardray.detectors.declare import WindowDetector
from guardray.errors import CrewLostError, RefusedStateError, StateError, StoppedError, StoreError
from guardray.intel.store import IndicatorStore
from guardray.service.crew import LocalCrew
from guardray.service.listener import Listener
from guardray.service.losses import LOSSES_BORNE, Losses
from guardray.service.pace import Pace
from guardray.service.tries import Tries
from guardray.sources.set_aside import SetAside
from tests.service.running import Service, folder_source, stored

State = dict[str, Any]


class Heard(Listener):
    def __init__(self) -> None:
        self.problems: list[str] = []
        self.set_aside: list[str] = []

    def on_problem(self, problem: str) -> None:
        self.problems.append(problem)

    def on_detector_problems(self, problems) -> None:
        self.problems += [str(problem) for problem in problems]

    def on_set_aside(self, set_aside) -> None:
        self.set_aside.append(set_aside.url)


def stopped_after(settings: ScanSettings, logs: Path, state: State, steps: int = 3) -> None:
    service = Service(settings, folder_source(logs), **state)
    service.start()
    for _ in range(steps):
        service.coordinator.step()
    service.coordinator.stop()
    service.store.close()


def test_a_rule_with_another_window_begins_anew_and_the_rest_goes_on(
    settings: ScanSettings, account: Path, scanned, state: State
):
    stopped_after(settings, account / "AWSLogs", state)
    changed = next(one for one in settings.detectors if isinstance(one, WindowDetector))
    others = [one for one in settings.detectors if one is not changed]
    wider = replace(settings, detectors=[replace(changed, window=2 * changed.window), *others])
    heard = Heard()
    Service(wider, folder_source(account / "AWSLogs"), **state, listener=heard).run()
    told = {problem for problem in heard.problems if "begins anew" in problem}
    assert {problem.partition(": ")[0] for problem in told} == {changed.finding_type}
    found = stored(state["store_url"])
    of_others = {id_ for id_, one in scanned.items() if one["finding"]["type"] != changed.finding_type}
    assert {id_: found[id_] for id_ in of_others} == {id_: scanned[id_] for id_ in of_others}


def test_where_no_checkpoint_is_sound_it_refuses_once_and_says_what_to_do(
    settings: ScanSettings, account: Path, state: State
):
    stopped_after(settings, account / "AWSLogs", state)
    for file in Path(state["checkpoints_url"]).rglob("*.arrow*"):
        file.unlink()
    service = Service(settings, folder_source(account / "AWSLogs"), **state)
    with pytest.raises(RefusedStateError, match=r"put its files back from a copy, .*guardray state reset"):
        service.start()
    service.store.close()


def test_state_that_cannot_be_read_for_the_moment_is_waited_for(settings: ScanSettings, tmp_path: Path, state: State):
    heard = Heard()
    service = Service(settings, folder_source(tmp_path), **state, listener=heard)
    crew, refusals = service.coordinator._crew, ["out of reach", "still out of reach"]
    start = crew.start

    def starting(kept):
        if refusals:
            raise StateError("s3://bucket", refusals.pop(0))
        start(kept)

    crew.start = starting
    service.start()
    service.store.close()
    assert heard.problems == ["s3://bucket: out of reach", "s3://bucket: still out of reach"]


def test_it_can_be_told_to_stop_while_workers_are_lost_again_and_again(
    settings: ScanSettings, tmp_path: Path, state: State
):
    service = Service(settings, folder_source(tmp_path), **state)

    def lost(kept):
        service.coordinator.interrupt()
        raise CrewLostError("no core is free")

    service.coordinator._crew.start = lost
    with pytest.raises(StoppedError):
        service.start()
    service.store.close()


def test_it_can_be_told_to_stop_while_the_store_refuses_and_loses_nothing(
    settings: ScanSettings, account: Path, scanned, state: State
):
    service = Service(settings, folder_source(account / "AWSLogs"), **state)
    service.start()
    service.coordinator.step()
    renewed = []
    service.coordinator._source.renew = renewed.append

    def refusing(*args: Any, **kwargs: Any) -> None:
        if renewed:
            service.coordinator.interrupt()
        raise StoreError("the database is gone")

    service.store.epochs.commit = refusing
    with pytest.raises(StoppedError):
        service.coordinator.step()
    assert renewed  # so that no queue gives to others what is being worked on
    service.coordinator.close()
    service.store.close()
    Service(settings, folder_source(account / "AWSLogs"), **state).run()
    assert stored(state["store_url"]) == scanned


def test_a_pause_ends_at_once_when_it_is_told_to_stop():
    tries = Tries()
    threading.Timer(0.05, tries.stop).start()
    with pytest.raises(StoppedError):
        tries.pause(attempt=100)


class LosingShards(LocalCrew):
    """Loses its shards when they are to close what is due, some times."""

    def __init__(self, settings: ScanSettings, losses: int) -> None:
        super().__init__(settings, shards=2)
        self._losses = losses

    def advance(self, *due):
        if self._losses:
            self._losses -= 1
            raise CrewLostError("a shard is gone")
        return super().advance(*due)


def test_objects_are_not_blamed_for_shards_that_are_lost_after_they_were_read(
    settings: ScanSettings, account: Path, scanned, state: State
):
    heard = Heard()
    crew = LosingShards(settings, losses=4 * LOSSES_BORNE)
    pace = Pace(max_objects=1000, checkpoint_every=timedelta(seconds=100))
    Service(settings, folder_source(account / "AWSLogs"), **state, crew=crew, listener=heard, pace=pace).run()
    assert not heard.set_aside
    assert stored(state["store_url"]) == scanned


def test_losses_are_not_forgotten_for_one_epoch_that_went_well():
    losses = Losses()
    for _ in range(3):
        losses.on_loss(["a", "b"])
        losses.on_epoch(["a"])
    assert losses.level == 3
    for _ in range(9):
        losses.on_epoch([])
    assert losses.level == 0
    assert losses.most(500) == 500


def test_an_object_is_blamed_only_for_losses_of_its_own():
    losses = Losses()
    for url in ("a", "b", "c", "d", "e"):
        assert not losses.on_loss([url])
    for _ in range(LOSSES_BORNE - 1):
        assert not losses.on_loss(["a"])
    assert losses.on_loss(["a"])


class Replaceable:
    """Lists that are replaced; earlier ones are kept for as long as that is asked."""

    def __init__(self, *stores: IndicatorStore) -> None:
        self.stores = {store.version: store for store in stores}
        self.now = stores[0]
        self.kept: set[str] = set()

    def replace_by(self, store: IndicatorStore) -> None:
        self.now, self.stores = store, {**self.stores, store.version: store}
        self.stores = {name: one for name, one in self.stores.items() if one is store or name in self.kept}

    def current(self) -> IndicatorStore:
        return self.now

    def name(self) -> str:
        return self.now.version

    def find(self, name: str) -> IndicatorStore | None:
        return self.stores.get(name)

    def keep(self, names) -> None:
        self.kept = set(names)


def test_what_was_read_before_lists_were_replaced_is_read_again_with_the_lists_of_then(
    settings: ScanSettings, account: Path, scanned, state: State
):
    lists = Replaceable(settings.indicators)

    def begun() -> Service:
        crew = LocalCrew(settings, 2, surroundings=replace(settings.surroundings, indicators=lists))
        pace = Pace(max_objects=100, checkpoint_every=timedelta(days=1))
        service = Service(settings, folder_source(account / "AWSLogs"), **state, crew=crew, pace=pace, lists=lists)
        service.start()
        return service

    def sightings(service: Service):
        return service.coordinator._progress.board.export()["sightings"]

    first = begun()
    while first.coordinator.step():
        pass
    then = sightings(first)
    first.store.close()
    lists.replace_by(IndicatorStore())
    again = begun()
    assert then.num_rows
    assert sightings(again).equals(then)
    again.store.close()


def test_lists_are_let_go_of_when_no_epoch_names_them_any_more(settings: ScanSettings, tmp_path: Path, state: State):
    lists = Replaceable(settings.indicators)
    service = Service(settings, folder_source(tmp_path), **state, lists=lists)
    service.start()
    service.coordinator.step()
    lists.replace_by(IndicatorStore())
    assert settings.indicators.version in lists.stores
    for _ in range(6):
        service.coordinator._run([])
        service.coordinator.checkpoint()
    service.store.close()
    assert lists.kept == {IndicatorStore().version}


class TearingCrew(LocalCrew):
    """Reads one object in part, some times, as where its disk fails."""

    def __init__(self, settings: ScanSettings, url: str, times: int) -> None:
        super().__init__(settings, shards=2)
        self._url, self._times = url, times

    def process(self, objects, at, lists):
        reports = super().process(objects, at, lists)
        if self._times and any(obj.url == self._url for obj in objects):
            self._times -= 1
            torn = SetAside(self._url, None, "Input/output error")
            reports = [*reports, IngestReport(set_aside=[torn], torn=[self._url])]
        return reports


def test_what_was_merged_of_an_object_that_was_read_in_part_is_taken_back(
    settings: ScanSettings, account: Path, scanned, state: State
):
    url = str(sorted((account / "AWSLogs").rglob("*vpcflow*.gz"))[3])
    source = folder_source(account / "AWSLogs")
    Service(settings, source, **state, crew=TearingCrew(settings, url, times=2)).run()
    assert stored(state["store_url"]) == scanned
