"""`guardray train` keeps models beside what is usual, and `guardray scan --baseline` decides and explains with them."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from scanning import found, scan
from typer.testing import CliRunner, Result
from working_days import DAYS, attack, worked, written

from guardray.cli.app import app
from guardray.models.registry import Registry


def train(*arguments: object, state: Path) -> Result:
    return CliRunner().invoke(app, ["train", *map(str, arguments), "--state", str(state)], catch_exceptions=False)


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was learned of the first days, with a model in force."""
    folder = tmp_path_factory.mktemp("trained")
    file = written(folder / "before.json", worked(0, DAYS))
    result = train(file, "--baseline", folder / "baseline", state=folder)
    assert result.exit_code == 0, result.stderr
    assert "management-calls: model" in result.stderr
    registry = Registry(folder / "baseline" / "models")
    (card,), errors = registry.cards("management-calls")
    assert errors == []
    registry.promote(card.family, card.version, at=datetime(2026, 3, 1, tzinfo=UTC), by="test")
    return folder / "baseline"


def findings_of(baseline: Path, folder: Path, records: list[dict]) -> dict[str, dict]:
    file, output = written(folder / "after.json", records), folder / "findings.jsonl"
    result = scan(file, "--baseline", baseline, "--output", output, state=folder)
    assert result.exit_code == 0, result.stderr
    return {finding["type"]: finding for finding in found(output)}


def test_a_finding_carries_what_the_model_says(baseline: Path, tmp_path: Path):
    findings = findings_of(baseline, tmp_path, [*worked(DAYS, DAYS + 1), *attack(DAYS)])
    finding = findings["Persistence:IAMUser/AnomalousBehavior"]
    told = json.loads(finding["service"]["additionalInfo"]["value"])
    assert told["anomalyScore"] > 0.5
    first = told["contributions"][0]
    assert first.keys() >= {"feature", "share", "meaning"}
    assert first["meaning"] in finding["description"]
    assert "unusualAPIsAccountProfiling" in told["unusualBehavior"]


def test_usual_days_are_quiet_with_a_model(baseline: Path, tmp_path: Path):
    assert findings_of(baseline, tmp_path, worked(DAYS, DAYS + 5)) == {}


def test_a_model_that_was_changed_is_told_of_and_rules_decide(baseline: Path, tmp_path: Path):
    damaged = tmp_path / "damaged"
    shutil.copytree(baseline, damaged)
    (model,) = damaged.glob("models/management-calls/*/model.skops")
    model.write_bytes(model.read_bytes()[:-1] + b"x")
    file = written(tmp_path / "after.json", [*worked(DAYS, DAYS + 1), *attack(DAYS)])
    output = tmp_path / "findings.jsonl"
    result = scan(file, "--baseline", damaged, "--output", output, state=tmp_path)
    assert "model.skops" in result.stderr.replace("\n", "")
    (finding,) = found(output)
    assert "anomalyScore" not in finding["service"]["additionalInfo"]["value"]


def test_training_once_more_on_known_days_keeps_no_row_of_them(baseline: Path, tmp_path: Path):
    again = tmp_path / "again"
    shutil.copytree(baseline, again)
    before = sorted(again.glob("archive/**/*.parquet"))
    train(written(tmp_path / "once.json", worked(0, DAYS)), "--baseline", again, state=tmp_path)
    assert sorted(again.glob("archive/**/*.parquet")) == before
    assert (again / "models" / "promoted.json").exists()


def test_a_scan_that_knows_nothing_says_from_which_days_it_learns(tmp_path: Path):
    name = "111122223333_CloudTrail_eu-west-1_20260105T1000Z_abcdefgh12345678.json"
    told = "first 7 days of these logs, 2026-01-05 to 2026-01-11,"
    file = written(tmp_path / name, worked(0, 1))
    assert told in scan(file, state=tmp_path).stderr.replace("\n", " ").replace("  ", " ")
    assert "first 7 days" not in scan(file, "--quiet", state=tmp_path).stderr
