"""What was learned from earlier logs is known to later scans, on whatever engine and with any number of shards."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from new_calls import CALLS, MIDNIGHT, NEW_CALL, WHOSE, call, calls_of, ingested

from guardray.dataflow.baseline import Baseline
from guardray.dataflow.local import LocalEngine
from guardray.dataflow.partials import Owners, split_baseline
from guardray.dataflow.scan import Engine, Observer, ScanSettings
from guardray.dataflow.shard import Shard
from guardray.detectors.activity import Level
from guardray.detectors.declare import ActivityDetector, Detector
from guardray.detectors.iam import password_policy_change
from guardray.detectors.loader import load_detectors
from guardray.errors import SnapshotError
from guardray.intel.store import IndicatorStore
from guardray.simulate import Rates, simulate
from guardray.sources.objects import locate
from guardray.stats.measures import Sum

DETECTORS = (NEW_CALL, password_policy_change.DETECTOR)
ACCOUNTS = [f"{number:012}" for number in range(1, 30)]


def fed(shard: Shard, *rows: dict) -> Shard:
    shard.merge(ingested(calls_of(rows)).drain())
    return shard


def days(first: int, last: int, operation: str = "GetUser") -> list[dict]:
    return [call(operation, day, cloud_account_uid=account) for day in range(first, last) for account in ACCOUNTS]


def learned(*rows: dict) -> Baseline:
    shard = fed(Shard([NEW_CALL]), *rows)
    shard.finish()
    return shard.learned()


def test_what_is_known_beforehand_is_judged_by_as_if_it_had_been_seen():
    baseline = learned(*days(0, 3))
    news = [*days(3, 4), call("ListUsers", 3, cloud_account_uid=ACCOUNTS[4])]
    assert fed(Shard([NEW_CALL]), *news).finish() == []
    (sighting,) = fed(Shard([NEW_CALL], baseline=baseline), *news).finish()
    assert sighting.key.account_id == ACCOUNTS[4]


@pytest.mark.parametrize("shards", [1, 2, 7])
def test_parts_of_a_baseline_add_up_to_the_whole(shards: int):
    baseline = learned(*days(0, 3))
    parts = split_baseline(baseline, shards, Owners.of(DETECTORS))
    assert sum(len(part.tables["activities/calls/api"]) for part in parts) == len(ACCOUNTS)
    whole = Baseline.of(Shard([NEW_CALL], baseline=part).learned() for part in parts)
    assert whole.tables.keys() == baseline.tables.keys()
    for name, table in baseline.tables.items():
        ours, theirs = (pl.DataFrame(pl.from_arrow(one)) for one in (table, whole.tables[name]))
        assert ours.sort(pl.all()).equals(theirs.sort(pl.all()))


def test_days_that_are_known_are_not_learned_again():
    once, twice = (learned(*days(0, 3)) for _ in range(2))
    shard = fed(Shard([NEW_CALL], baseline=twice), *days(1, 3), *days(3, 5))
    shard.finish()
    table = pl.DataFrame(pl.from_arrow(shard.learned().tables["activities/calls/api"]))
    assert table["days"].unique().to_list() == [5]
    assert table["last_day"].unique().to_list() == [(MIDNIGHT + timedelta(days=4)).date()]
    assert once.tables["activities/calls/api"].num_rows == table.height


def test_a_baseline_tells_how_far_it_was_learned():
    assert Baseline().last_day is None
    assert learned(*days(0, 3)).last_day == (MIDNIGHT + timedelta(days=2)).date()


def test_a_saved_baseline_is_the_same_when_opened_and_replaces_the_one_before(tmp_path: Path):
    folder = tmp_path / "baseline"
    learned(*days(0, 1)).save(folder)
    baseline = learned(*days(0, 3))
    baseline.save(folder)
    opened = Baseline.open(folder)
    assert opened.tables.keys() == baseline.tables.keys()
    assert all(table.equals(opened.tables[name]) for name, table in baseline.tables.items())
    assert [path.name for path in tmp_path.iterdir()] == ["baseline"]


def test_a_baseline_that_was_being_replaced_when_the_process_died_is_put_back(tmp_path: Path):
    folder = tmp_path / "baseline"
    learned(*days(0, 1)).save(folder)
    folder.rename(tmp_path / "baseline.old")
    assert Baseline.is_kept(folder)
    assert Baseline.open(folder).tables
    assert not Baseline.is_kept(tmp_path / "nowhere")


def test_what_is_kept_beside_a_baseline_stays_when_it_is_replaced(tmp_path: Path):
    folder = tmp_path / "baseline"
    learned(*days(0, 1)).save(folder)
    model = folder / "models" / "a" / "model.skops"
    model.parent.mkdir(parents=True)
    model.write_text("learned")
    learned(*days(0, 3)).save(folder)
    assert model.read_text() == "learned"


def test_what_is_kept_beside_a_baseline_is_put_back_when_the_process_died_between(tmp_path: Path):
    folder, old = tmp_path / "baseline", tmp_path / "baseline.old"
    for place in (folder, old):
        learned(*days(0, 1)).save(place)
    (old / "models").mkdir()
    (old / "models" / "promoted.json").write_text("{}")
    learned(*days(0, 3)).save(folder)
    assert (folder / "models" / "promoted.json").read_text() == "{}"
    assert [path.name for path in tmp_path.iterdir()] == ["baseline"]


def test_a_folder_that_holds_something_else_is_left_as_it_is(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SnapshotError):
        learned(*days(0, 1)).save(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_baseline_with_other_columns_is_refused():
    baseline = learned(*days(0, 1))
    activity = replace(NEW_CALL.activity, habits={"api": replace(NEW_CALL.activity.habits["api"], value=())})
    with pytest.raises(SnapshotError, match="activities/calls/api"):
        Shard([replace(NEW_CALL, activity=activity)], baseline=baseline)


def test_a_baseline_from_before_a_habit_was_added_is_refused_for_all_would_be_new_to_it():
    baseline = learned(*days(0, 3))
    habit = NEW_CALL.activity.habits["api"]
    activity = replace(NEW_CALL.activity, habits={"api": habit, "who": replace(habit, value=("actor_principal",))})
    with pytest.raises(SnapshotError, match="activities/calls/who"):
        Shard([replace(NEW_CALL, activity=activity)], baseline=baseline)


ELSEWHERE = "from new_calls import CALLS; print(CALLS.definition)"

OTHERS = (
    {"where": pl.col("api_operation") != "Beat"},
    {"derived": {"actor_principal": pl.col("actor_principal").str.to_lowercase()}},
    {"measures": {"calls": Sum("time")}},
    {"habits": {"api": replace(CALLS.habits["api"], where=pl.col("api_operation").is_in(["GetUser"]))}},
    {"levels": {"calls": Level(CALLS.owner, "calls")}},
)


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: next(iter(other)))
def test_what_was_learned_with_another_definition_is_left_out_and_said_and_the_rest_kept(other: dict):
    tables = {**learned(*days(0, 1)).tables, "configurations/Policy:IAMUser/Any": pa.table({"key": ["a"]})}
    baseline = Baseline(tables).defined([CALLS])
    assert baseline.fitting([CALLS]) == (baseline, [])
    assert baseline.fitting([]) == (baseline, [])  # its detectors are not loaded this time
    fitting, (line,) = baseline.fitting([replace(CALLS, **other)])
    assert fitting.tables.keys() == {"configurations/Policy:IAMUser/Any"}
    assert " of calls is left out" in line
    assert line.endswith("train again")


def test_what_was_learned_with_a_definition_that_it_does_not_tell_is_left_out():
    untold = {name: table.replace_schema_metadata(None) for name, table in learned(*days(0, 1)).tables.items()}
    assert len(Baseline(untold).fitting([CALLS])[1]) == 1


def test_more_room_and_other_columns_beside_leave_what_was_learned_as_it_is():
    baseline = learned(*days(0, 1)).defined([CALLS])
    wider = replace(CALLS, room=WHOSE, most=7, latest=("time",))
    assert baseline.fitting([wider]) == (baseline, [])


def test_a_definition_is_the_same_in_other_processes_and_kept_with_what_was_learned(tmp_path: Path):
    learned(*days(0, 1)).defined([CALLS]).save(tmp_path / "baseline")
    assert Baseline.open(tmp_path / "baseline").fitting([CALLS])[1] == []
    assert pickle.loads(pickle.dumps(CALLS)).definition == CALLS.definition
    for seed in ("1", "2"):
        process = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        there = subprocess.run([sys.executable, "-c", ELSEWHERE], env=process, capture_output=True, check=True)
        assert there.stdout.decode().strip() == CALLS.definition


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated") / "week"
    simulate(folder, accounts=2, days=2, seed=5, rate=Rates.named("quiet"), attacks=[])
    return folder


def scanned(make: Callable[[ScanSettings], Engine], week: Path, baseline: Baseline, last: bool) -> Baseline:
    settings = ScanSettings(detectors=learning(), indicators=IndicatorStore(), baseline=baseline)
    objects = locate([str(week / "AWSLogs")], settings.key_filter)
    split = max(one.key_time for one in objects) - timedelta(days=1)
    part = [one for one in objects if (one.key_time > split) is last]
    return make(settings).scan(part, Observer()).learned


def learning() -> tuple[Detector, ...]:
    return tuple(detector for detector in load_detectors() if isinstance(detector, ActivityDetector))


@pytest.mark.slow
def test_engine_learns_what_the_local_engine_learns(week: Path, make_engine: Callable[[ScanSettings], Engine]):
    first = scanned(LocalEngine, week, Baseline(), last=False)
    expected = scanned(LocalEngine, week, first, last=True)
    found = scanned(make_engine, week, first, last=True)
    assert found.tables.keys() == expected.tables.keys()
    for name, table in expected.tables.items():
        ours, theirs = (pl.DataFrame(pl.from_arrow(one)) for one in (table, found.tables[name]))
        assert ours.height > 0 or name.startswith("activities/")
        assert sorted(ours.rows(), key=repr) == sorted(theirs.rows(), key=repr), name
