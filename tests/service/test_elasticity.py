"""The crew follows the load."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from guardray.connectors.source import Lag
from guardray.dataflow.scan import ScanSettings
from guardray.intel.store import IndicatorStore
from guardray.service.crew import LocalCrew, ShardSize
from guardray.service.elasticity import Elasticity
from guardray.service.pace import Pace
from guardray.service.room import UNBOUNDED, Room
from guardray.service.scaling import IngestGoals, Range, ShardGoals
from tests.service.running import Plain, Service, folder_source, settings_of, stored

NOTHING_TO_FIND = ScanSettings(detectors=(), indicators=IndicatorStore())


class Crew(LocalCrew):
    """Counts what is asked for."""

    def __init__(self) -> None:
        self.wanted = 1
        self._count = 1

    @property
    def workers(self) -> int:
        return self.wanted

    def resize(self, workers: int) -> None:
        self.wanted = workers


def elasticity(crew: Crew, reasons: list[str]) -> Elasticity:
    return Elasticity(
        crew,
        IngestGoals(range=Range(min=1, max=4), target_age_s=10, quiet_s=60),
        ShardGoals(range=Range(min=1, max=8), max_rows=1000),
        reasons.append,
    )


def test_ingest_workers_come_with_the_load_and_go_when_it_is_quiet():
    crew, reasons = Crew(), []
    elastic = elasticity(crew, reasons)
    seen = []
    read = 0
    for second in range(400):
        busy = 50 <= second < 150
        done = min(10 * crew.wanted, 30) if busy else 0
        read += done
        elastic.on_epoch(done, 1.0)
        lag = Lag(backlog=200, oldest=timedelta(seconds=15)) if busy else Lag()
        elastic.on_look(lag, read, float(second))
        seen.append(crew.wanted)
    assert seen[49] == 1
    assert max(seen[50:150]) >= 3
    assert seen[-1] == 1
    assert "waiting objects" in reasons[0]
    assert "enough" in reasons[-1]


def test_workers_go_where_a_trickle_is_left_that_one_of_them_reads():
    crew, reasons = Crew(), []
    elastic = elasticity(crew, reasons)
    elastic.on_epoch(40, 1.0)
    elastic.on_look(Lag(backlog=400, oldest=timedelta(seconds=30)), 40, 0.0)
    assert crew.wanted > 1
    read = 440
    for second in range(1, 400):
        read += 1
        elastic.on_epoch(1, 0.5)
        elastic.on_look(Lag(), read, float(second))
    assert crew.wanted == 1


def test_what_was_read_and_waits_for_a_checkpoint_alone_is_no_work_for_anybody(tmp_path: Path, state: dict[str, Any]):
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.json").write_text("{}")
    source = folder_source(logs)
    service = Service(NOTHING_TO_FIND, source, **state, pace=Pace(checkpoint_every=timedelta(days=1)))
    service.start()
    while not service.coordinator.held:
        service.coordinator.step()
    assert source.lag().backlog == 1
    assert source.lag(service.coordinator.held) == Lag()
    service.coordinator.close()
    service.store.close()


def test_shards_are_doubled_until_none_is_too_full():
    crew, reasons = Crew(), []
    assert elasticity(crew, reasons).wanted_shards([ShardSize(3500)], 0.0) == 4
    assert "3,500 keys" in reasons[0]


def test_state_moves_to_other_shards_in_the_middle_of_the_work_and_nothing_changes(
    account: Path, scanned: Plain, state: dict[str, Any]
):
    settings: ScanSettings = settings_of(account)
    crew = LocalCrew(settings, shards=2)
    service = Service(settings, folder_source(account / "AWSLogs"), **state, crew=crew)
    service.start()
    for shards in (4, 1, 2):
        service.coordinator.step()
        service.coordinator.step()
        service.coordinator.divide(crew, shards)
        assert len(service.coordinator._crew.sizes()) == shards
    service.coordinator.finish()
    service.coordinator.stop()
    service.store.close()
    assert stored(state["store_url"]) == scanned


def test_state_past_its_budget_is_evicted_and_counted(account: Path, state: dict[str, Any]):
    settings = settings_of(account)

    def size_with(budget: int) -> ShardSize:
        crew = LocalCrew(settings, shards=1, room=Room(state=budget))
        places = {name: f"{place}-{budget}" for name, place in state.items()}
        service = Service(settings, folder_source(account / "AWSLogs"), **places, crew=crew)
        service.start()
        for _ in range(4):
            service.coordinator.step()
        (size,) = service.coordinator.sizes()
        service.coordinator.stop()
        service.store.close()
        return size

    unbounded = size_with(UNBOUNDED)
    bounded = size_with(unbounded.bytes // 2)
    assert unbounded.evicted == 0
    assert bounded.evicted > 0
    assert bounded.bytes < unbounded.bytes
