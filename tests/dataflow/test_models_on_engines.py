"""The same models give the same findings on every engine, and every engine hands out the same rows to learn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from working_days import DAYS, attack, worked, written

from guardray.dataflow.local import LocalEngine
from guardray.dataflow.report import report
from guardray.dataflow.scan import Engine, Observer, ScanResult, ScanSettings
from guardray.detectors.features import specs_of
from guardray.detectors.loader import load_detectors
from guardray.findings.wire import to_json
from guardray.intel.store import IndicatorStore
from guardray.models.archive import Archive
from guardray.models.policy import Policy
from guardray.models.scorer import LocalScorer, ModelSet
from guardray.models.training import train
from guardray.sources.objects import locate

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SETTINGS = ScanSettings(detectors=load_detectors(), indicators=IndicatorStore(), archives=True)

MakeEngine = Callable[[ScanSettings], Engine]


def scanned(make: MakeEngine, settings: ScanSettings, folder: Path) -> ScanResult:
    result = make(settings).scan(locate([str(folder)], settings.key_filter), Observer())
    assert result.problems == []
    return result


def findings(result: ScanResult, settings: ScanSettings) -> list[dict]:
    return [to_json(finding) for finding in report(result, settings, NOW)[0]]


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("before")
    for number in range(3):  # files that do not follow the days
        written(folder / f"{number}.json", worked(0, DAYS)[number::3])
    return folder


@pytest.fixture(scope="module")
def learned(before: Path) -> ScanResult:
    return scanned(LocalEngine, SETTINGS, before)


@pytest.fixture(scope="module")
def knowing(learned: ScanResult, tmp_path_factory: pytest.TempPathFactory) -> ScanSettings:
    """Settings with what was learned, and a model."""
    archive = Archive(tmp_path_factory.mktemp("archive"))
    (spec,) = (one for one in specs_of(SETTINGS.detectors) if one.name == "management-calls")
    archive.add(spec, learned.features[spec.name])
    candidate = train(archive, spec, Policy(), until=archive.days(spec)[-1])
    assert candidate is not None
    models = ModelSet({spec.name: candidate.family}, {spec.name: candidate.card.version})
    return replace(SETTINGS, baseline=learned.learned, scorer=LocalScorer(models))


def test_engine_finds_what_the_local_engine_finds_with_the_same_models(
    knowing: ScanSettings, tmp_path: Path, make_engine: MakeEngine
):
    records = [*worked(DAYS, DAYS + 3), *attack(DAYS + 1)]
    for number in range(2):
        written(tmp_path / f"{number}.json", records[number::2])
    expected = findings(scanned(LocalEngine, knowing, tmp_path), knowing)
    assert "anomalyScore" in str(expected)
    assert findings(scanned(make_engine, knowing, tmp_path), knowing) == expected


def test_engine_hands_out_what_the_local_engine_does(before: Path, learned: ScanResult, make_engine: MakeEngine):
    found = scanned(make_engine, SETTINGS, before).features
    assert found.keys() == learned.features.keys() != set()
    for name, rows in learned.features.items():
        assert found[name].sort(pl.all()).equals(rows.sort(pl.all()))
