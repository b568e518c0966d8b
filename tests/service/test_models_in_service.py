"""A service scores with the models that are in force, and an epoch that is replayed with those of its first time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from guardray.dataflow.local import LocalEngine
from guardray.dataflow.report import report
from guardray.dataflow.scan import Observer, ScanSettings
from guardray.detectors.features import FeatureSpec, specs_of
from guardray.detectors.loader import load_detectors
from guardray.errors import CrewLostError
from guardray.intel.store import IndicatorStore
from guardray.models.archive import Archive
from guardray.models.registry import Registry
from guardray.service.crew import LocalCrew
from guardray.service.features import FeatureArchive
from guardray.service.models import EpochScorer, LoadedModels, ModelsInForce, Versions
from guardray.service.pace import Pace
from guardray.sources.objects import KeyFilter, locate
from tests.runtime.small_models import add_model, promote
from tests.runtime.ten_days import write_ten_days
from tests.service.running import Plain, Service, folder_source, plain, stored

SPECS = specs_of(load_detectors())
STRICT, LENIENT = "strict", "lenient"
"""Versions that find much, and hardly anything."""

PACE = Pace(max_objects=1, checkpoint_every=timedelta(minutes=30))

SETTINGS = ScanSettings(detectors=load_detectors(), indicators=IndicatorStore())


def registry_of(folder: Path, specs: tuple[FeatureSpec, ...] = SPECS) -> Registry:
    """With both versions of all specs, the strict one in force."""
    registry = Registry(folder)
    for spec in specs:
        add_model(folder, STRICT, 0.2, spec=spec)
        add_model(folder, LENIENT, 1e6, spec=spec)
        promote(registry, STRICT, spec)
    return registry


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ten_days(tmp_path_factory.mktemp("account"))


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return registry_of(tmp_path_factory.mktemp("models"))


def scorer_of(registry: Registry, version: str) -> EpochScorer:
    scorer = EpochScorer(LoadedModels(registry).score)
    scorer.use({spec.name: version for spec in SPECS})
    return scorer


def scan(logs: Path, settings: ScanSettings) -> Plain:
    result = LocalEngine(settings).scan(locate([str(logs)], KeyFilter()), Observer())
    return plain(report(result, settings, datetime.now(UTC))[0])


@pytest.fixture(scope="module")
def expected(logs: Path, registry: Registry) -> Plain:
    """What a scan finds with the strict models."""
    return scan(logs, replace(SETTINGS, scorer=scorer_of(registry, STRICT)))


class Lossy(LocalCrew):
    """Its shards are gone at some calls of `advance`, after it notes the versions that it was given."""

    def __init__(self, settings: ScanSettings, losses: tuple[int, ...], **options) -> None:
        super().__init__(settings, shards=2, **options)
        self._losses, self.given = losses, []

    def advance(self, watermark, forget_before, models):
        self.given.append(dict(models))
        if len(self.given) in self._losses:
            self._shards = []
            raise CrewLostError("a shard is gone")
        return super().advance(watermark, forget_before, models)


def service_of(logs: Path, state: dict, crew: LocalCrew, models) -> Service:
    return Service(SETTINGS, folder_source(logs), **state, crew=crew, pace=PACE, models=models)


def test_a_service_with_models_whose_shards_are_lost_comes_to_what_a_scan_with_them_does(
    logs: Path, state: dict, registry: Registry, expected: Plain
):
    asked: set[str] = set()

    def ask(spec: FeatureSpec, version: str, rows: pl.DataFrame) -> pl.DataFrame:
        asked.add(f"{spec.name} {version}")
        return models.score(spec, version, rows)

    models = LoadedModels(registry)
    crew = Lossy(replace(SETTINGS, scorer=EpochScorer(ask)), losses=(3, 6))
    service_of(logs, state, crew, ModelsInForce(registry, SPECS, pytest.fail).current).run()
    assert stored(state["store_url"]) == expected
    assert asked == {f"management-calls {STRICT}"}


def test_an_epoch_is_replayed_with_the_models_of_its_first_time(logs: Path, state: dict, registry: Registry):
    settings = replace(SETTINGS, scorer=EpochScorer(LoadedModels(registry).score))
    crew = Lossy(settings, losses=(4,))
    both: tuple[Versions, ...] = tuple({spec.name: version for spec in SPECS} for version in (STRICT, LENIENT))
    asked = 0

    def models() -> Versions:
        """The strict models for three epochs; then others are promoted."""
        nonlocal asked
        asked += 1
        return both[asked > 3]

    service_of(logs, state, crew, models).run()
    strict, lenient = both
    # Three epochs, the one that is lost, those three again, and the rest.
    assert crew.given[:8] == [strict, strict, strict, lenient, strict, strict, strict, lenient]


def test_what_models_learn_from_is_kept_once_however_often_an_epoch_is_replayed(
    logs: Path, tmp_path: Path, registry: Registry
):
    archives = []
    for name, losses in (("undisturbed", ()), ("lossy", (2, 4, 9))):
        folder = tmp_path / name
        archive = Archive(folder / "archive")
        state = {"store_url": str(folder / "findings.db"), "checkpoints_url": str(folder / "checkpoints")}
        folder.mkdir()
        settings = replace(SETTINGS, archives=True)
        crew = Lossy(settings, losses, learned=FeatureArchive(archive, SPECS))
        service_of(logs, state, crew, dict).run()
        archives.append({spec.name: archive.read(spec) for spec in SPECS})
    first, second = archives
    assert sum(rows.height for rows in first.values()) > 0
    assert all(first[name].equals(second[name]) for name in first)
