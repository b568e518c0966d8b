"""Which models an epoch is scored with."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from guardray.detectors.features import FeatureSpec
from guardray.errors import ModelError
from guardray.models.registry import MODEL, PROMOTED
from guardray.service.models import EpochScorer, LoadedModels, ModelsInForce
from tests.runtime.small_models import ROWS, SPEC, add_model, promote


def anomalies(scorer: EpochScorer) -> list[float | None]:
    return scorer.score(SPEC, ROWS)["anomaly"].to_list()


def test_without_a_registry_nothing_is_in_force(tmp_path: Path):
    registry = add_model(tmp_path / "elsewhere", "v1", 1.0)
    told: list[str] = []
    assert ModelsInForce(registry, [SPEC], told.append).current() == {}
    assert told == []


def test_a_promotion_is_seen_at_the_next_epoch(tmp_path: Path):
    registry = add_model(tmp_path, "v1", 1.0)
    add_model(tmp_path, "v2", 2.0)
    promote(registry, "v1")
    models = ModelsInForce(registry, [SPEC], pytest.fail)
    assert models.current() == {"calls": "v1"}
    promote(registry, "v2")
    assert models.current() == {"calls": "v2"}


def test_a_model_of_other_features_is_passed_over_for_the_one_before_and_told_of_once(tmp_path: Path):
    registry = add_model(tmp_path, "v1", 1.0)
    add_model(tmp_path, "v2", 2.0, definition="0" * 32)
    promote(registry, "v1")
    promote(registry, "v2")
    told: list[str] = []
    models = ModelsInForce(registry, [SPEC], told.append)
    assert (models.current(), models.current()) == ({"calls": "v1"}, {"calls": "v1"})
    (problem,) = told
    assert "it learned other features" in problem


def test_what_was_in_force_stays_so_while_the_registry_cannot_be_read(tmp_path: Path):
    registry = add_model(tmp_path, "v1", 1.0)
    promote(registry, "v1")
    told: list[str] = []
    models = ModelsInForce(registry, [SPEC], told.append)
    models.current()
    (tmp_path / PROMOTED).write_text("{}")
    assert models.current() == {"calls": "v1"}
    assert PROMOTED in told[0]


def test_rows_are_scored_by_the_version_of_the_epoch(tmp_path: Path):
    registry = add_model(tmp_path, "v1", 1.0)
    add_model(tmp_path, "v2", 2.0)
    scorer = EpochScorer(LoadedModels(registry).score)
    assert (scorer.version, anomalies(scorer)) == ("none", [None, None, None])
    scorer.use({"calls": "v1"})
    first, name = anomalies(scorer), scorer.version
    scorer.use({"calls": "v2"})
    assert anomalies(scorer) == pytest.approx([score / 2 for score in first if score is not None], abs=1e-6)
    assert scorer.version != name
    scorer.use({"calls": "v1"})
    assert (anomalies(scorer), scorer.version) == (first, name)


def test_a_model_that_was_changed_on_the_disk_scores_nothing(tmp_path: Path):
    registry = add_model(tmp_path, "v1", 1.0)
    (tmp_path / "calls" / "v1" / MODEL).write_bytes(b"something else")
    models = LoadedModels(registry)
    with pytest.raises(ModelError, match="its checksum is another"):
        models.score(SPEC, "v1", ROWS)
    scorer = EpochScorer(models.score)
    scorer.use({"calls": "v1"})
    assert anomalies(scorer) == [None, None, None]


def damage(folder: Path, version: str) -> None:
    (folder / "calls" / version / MODEL).write_bytes(b"something else")


def test_the_last_good_version_takes_the_place_of_one_that_was_damaged_after_its_promotion(tmp_path: Path):
    registry = add_model(tmp_path, "v1", 1.0)
    add_model(tmp_path, "v2", 2.0)
    promote(registry, "v1")
    promote(registry, "v2")
    told: list[str] = []
    models = ModelsInForce(registry, [SPEC], told.append)
    assert models.current() == {"calls": "v2"}
    good = (tmp_path / "calls" / "v2" / MODEL).read_bytes()
    damage(tmp_path, "v2")
    assert (models.current(), models.current()) == ({"calls": "v1"}, {"calls": "v1"})
    (problem,) = told
    assert "its checksum is another" in problem
    (tmp_path / "calls" / "v2" / MODEL).write_bytes(good)
    assert models.current() == {"calls": "v2"}


def test_an_epoch_whose_version_is_damaged_is_scored_by_the_last_good_one_before_it(tmp_path: Path):
    registry = add_model(tmp_path, "v0", 0.5)
    add_model(tmp_path, "v1", 1.0)
    add_model(tmp_path, "v2", 2.0)
    for version in ("v0", "v1", "v2"):
        promote(registry, version)
    expected = LoadedModels(registry).score(SPEC, "v0", ROWS)
    damage(tmp_path, "v1")
    damage(tmp_path, "v2")
    for version in ("v1", "v2"):
        assert_frame_equal(LoadedModels(registry).score(SPEC, version, ROWS), expected)


def test_models_that_were_not_asked_for_lately_are_let_go_and_loaded_again(tmp_path: Path):
    registry = add_model(tmp_path, "v1", 1.0)
    add_model(tmp_path, "v2", 2.0)
    models = LoadedModels(registry, kept=1)
    first = models.load("calls", "v1")
    assert models.load("calls", "v1") is first
    models.load("calls", "v2")
    assert models.load("calls", "v1") is not first


def test_rows_that_are_as_they_were_are_not_asked_for_again(tmp_path: Path):
    models = LoadedModels(add_model(tmp_path, "v1", 1.0))
    asked: list[list[float]] = []

    def ask(spec: FeatureSpec, version: str, rows: pl.DataFrame) -> pl.DataFrame:
        asked.append(sorted(rows["calls"]))
        return models.score(spec, version, rows)

    scorer = EpochScorer(ask)
    scorer.use({"calls": "v1"})
    grown = pl.concat([ROWS, ROWS.with_columns(pl.col("calls") + pl.Series([0.0, 0.0, 100.0]))])
    for rows in (ROWS[:2], ROWS, grown, grown, ROWS):
        assert_frame_equal(scorer.score(SPEC, rows), models.score(SPEC, "v1", rows))
    assert asked == [[1.0, 5.0], [500.0], [600.0]]
