"""The oracle: the same events, whatever files, batch sizes and engine, give the same findings."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from indicators import store_of_files
from once import Once

from guardray.dataflow.local import LocalEngine
from guardray.dataflow.report import report
from guardray.dataflow.scan import Engine, Observer, ScanResult, ScanSettings
from guardray.detectors.loader import load_detectors
from guardray.findings.wire import to_json
from guardray.geo.geography import Geography
from guardray.intel.store import IndicatorStore
from guardray.inventory import read_inventory
from guardray.simulate import Rates, attack_types, simulate
from guardray.sources.objects import InputObject, locate
from guardray.sources.reader import Limits

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DETECTORS = load_detectors()

MakeEngine = Callable[[ScanSettings], Engine]


def settings_for(folder: Path | None = None, **limits) -> ScanSettings:
    known = {} if folder is None else known_of(folder)
    return ScanSettings(detectors=DETECTORS, **{"indicators": IndicatorStore(), **known}, limits=Limits(**limits))


def known_of(folder: Path) -> dict:
    """What goes with a simulation: lists and inventory, and where addresses are."""
    lists = folder / "indicators"
    return {
        "indicators": store_of_files(lists / "intel.yaml", [lists / "threat-list.txt"], [lists / "trusted-list.txt"]),
        "assets": read_inventory([folder / "inventory.json"]),
        "geography": Geography.load(),
    }


def documents(result: ScanResult, settings: ScanSettings) -> list[dict]:
    """The findings as JSON with the rows that prove them, which is what must be equal."""
    assert result.problems == []
    findings, problems = report(result, settings, NOW)
    assert problems == []
    return [{**to_json(finding), "rows": [seen.row for seen in finding.evidence]} for finding in findings]


def scanned(make: MakeEngine, settings: ScanSettings, objects: Sequence[InputObject]) -> list[dict]:
    return documents(make(settings).scan(objects, Observer()), settings)


DAYS = 0.5

FLOODS = tuple(type_ for type_ in attack_types(DAYS) if "DenialOfService" in type_ and not type_.endswith(".Dns"))
"""Left out but for one: each is a hundred thousand records, and all work alike."""


@pytest.fixture(scope="module")
def simulated(once: Once) -> Path:
    attacks, rate = [type_ for type_ in attack_types(DAYS) if type_ not in FLOODS], Rates.named("quiet")
    return once.folder(
        "two-accounts", lambda folder: simulate(folder, accounts=2, days=DAYS, seed=11, rate=rate, attacks=attacks)
    )


@pytest.fixture(scope="module")
def objects(simulated: Path) -> Sequence[InputObject]:
    return locate([str(simulated / "AWSLogs")], settings_for().key_filter)


@pytest.fixture(scope="module")
def expected(once: Once, simulated: Path, objects: Sequence[InputObject]) -> list[dict]:
    """What one local scan finds in the two accounts."""
    return once.value("two-accounts-found", lambda: scanned(LocalEngine, settings_for(simulated), objects))


@pytest.fixture(scope="module")
def simulated_week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated") / "week"
    attacks = [type_ for type_ in attack_types(7) if type_ not in FLOODS]
    simulate(folder, accounts=1, days=7, seed=12, rate=Rates.named("quiet"), attacks=attacks)
    return folder


@pytest.mark.slow
@pytest.mark.ray
def test_ray_writes_the_findings_file_of_the_local_engine_for_a_simulated_week(simulated_week: Path, ray_cluster: None):
    from guardray.runtime.engine import RayEngine

    settings = settings_for(simulated_week)
    objects = locate([str(simulated_week / "AWSLogs")], settings.key_filter)
    expected = scanned(LocalEngine, settings, objects)
    assert scanned(partial(RayEngine, workers=2, shards=3), settings, objects) == expected


def test_engine_gives_the_findings_of_the_local_engine_on_simulated_accounts(
    simulated: Path, objects: Sequence[InputObject], expected: list[dict], make_engine: MakeEngine
):
    assert len({finding["type"] for finding in expected}) >= 20
    assert scanned(make_engine, settings_for(simulated), objects) == expected


def test_findings_do_not_depend_on_the_order_of_files_or_the_size_of_batches(
    simulated: Path, objects: Sequence[InputObject], expected: list[dict]
):
    for seed, batch_rows in ((1, 2_000), (2, 1_000_000)):
        shuffled = random.Random(seed).sample(objects, len(objects))
        assert scanned(LocalEngine, settings_for(simulated, batch_rows=batch_rows), shuffled) == expected


def test_findings_do_not_depend_on_what_files_are_called(
    simulated: Path, objects: Sequence[InputObject], tmp_path: Path
):
    """Without AWS's key layout nothing tells account, Region or date but the records themselves."""
    settings = settings_for(simulated)
    trail = [obj for obj in objects if "CloudTrail" in obj.url]
    for index, obj in enumerate(random.Random(5).sample(trail, len(trail))):
        shutil.copy(obj.url, tmp_path / f"{index}.bin")
    renamed = locate([str(tmp_path)], settings.key_filter)
    assert {obj.key_time for obj in renamed} == {None}
    assert scanned(LocalEngine, settings, renamed) == scanned(LocalEngine, settings, trail)


def test_the_same_file_given_twice_under_two_names_counts_once(
    simulated: Path, objects: Sequence[InputObject], expected: list[dict], tmp_path: Path
):
    settings = settings_for(simulated)
    shutil.copytree(simulated / "AWSLogs", tmp_path / "copy" / "AWSLogs")
    twice = locate([str(simulated / "AWSLogs"), str(tmp_path / "copy")], settings.key_filter)
    assert len(twice) == 2 * len(objects)
    assert scanned(LocalEngine, settings, twice) == expected


@pytest.mark.data
def test_engine_gives_the_findings_of_the_local_engine_on_real_logs(shared_data: Path, make_engine: MakeEngine):
    settings = settings_for()
    folders = ("cloudtrail", "vpc-flow", "dns")
    objects = locate([str(shared_data / folder) for folder in folders], settings.key_filter)
    expected = scanned(LocalEngine, settings, objects)
    assert expected
    assert scanned(make_engine, settings, objects) == expected
