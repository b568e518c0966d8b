"""`guardray train`, and `guardray scan --baseline` after it, as a person runs them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from scanning import ROOT_CALL, found, scan
from typer.testing import CliRunner, Result

from guardray.cli import main
from guardray.cli.app import app
from guardray.dataflow.baseline import Baseline
from guardray.errors import UsageError

WEAKENED = "Stealth:IAMUser/PasswordPolicyChange"
MONDAY = date(2026, 1, 12)
STRONG = {
    "minimumPasswordLength": 14,
    "requireSymbols": True,
    "requireNumbers": True,
    "requireUppercaseCharacters": True,
    "requireLowercaseCharacters": True,
}


def policy_set(day: date, **parameters: object) -> dict:
    told = {
        "eventName": "UpdateAccountPasswordPolicy",
        "requestParameters": STRONG | parameters,
        "eventTime": f"{day}T10:00:00Z",
        "eventID": f"{day}",
    }
    return ROOT_CALL | told


def written(file: Path, *records: dict) -> Path:
    file.write_text(json.dumps({"Records": records}))
    return file


def train(*arguments: object, state: Path) -> Result:
    return CliRunner().invoke(app, ["train", *map(str, arguments), "--state", str(state)], catch_exceptions=False)


def test_a_scan_knows_the_configuration_that_was_learned(tmp_path: Path):
    before = written(tmp_path / "before.json", policy_set(MONDAY))
    after = written(tmp_path / "after.json", policy_set(MONDAY + timedelta(days=1), minimumPasswordLength=10))
    output, baseline = tmp_path / "findings.jsonl", tmp_path / "baseline"
    scan(after, "--type", WEAKENED, "--output", output, state=tmp_path)
    assert found(output) == []  # still above what AWS asks for by default
    result = train(before, "--baseline", baseline, state=tmp_path)
    assert result.exit_code == 0
    assert "1 configuration" in result.stderr
    assert scan(after, "--baseline", baseline, "--output", output, state=tmp_path).exit_code == 0
    assert WEAKENED in {finding["type"] for finding in found(output)}


def test_what_is_learned_later_is_added_to_what_is_known(tmp_path: Path):
    baseline = tmp_path / "baseline"
    for number in range(2):
        file = written(tmp_path / f"{number}.json", policy_set(MONDAY) | {"recipientAccountId": f"{number:012}"})
        result = train(file, "--baseline", baseline, state=tmp_path)
    assert "2 configurations" in result.stderr


def test_what_a_detection_learned_that_is_not_loaded_this_time_is_kept(tmp_path: Path):
    baseline = tmp_path / "baseline"
    theirs = pa.table({"key": ["a"], "state": ["1"]})
    Baseline({"configurations/Policy:IAMUser/OfTheirOwn": theirs}).save(baseline)
    result = train(written(tmp_path / "a.json", policy_set(MONDAY)), "--baseline", baseline, state=tmp_path)
    assert "2 configurations" in result.stderr
    assert Baseline.open(baseline).tables["configurations/Policy:IAMUser/OfTheirOwn"].equals(theirs)


def test_training_that_set_rows_aside_says_so_by_its_status(tmp_path: Path):
    file = tmp_path / "events.jsonl"
    file.write_text(f"{json.dumps(ROOT_CALL)}\n{{broken\n")
    assert train(file, "--baseline", tmp_path / "baseline", state=tmp_path).exit_code == 3


@pytest.mark.parametrize("command", ["scan", "train"])
def test_a_folder_that_is_no_baseline_is_told_of_in_one_line(tmp_path: Path, command: str, capsys, monkeypatch):
    file = written(tmp_path / "trail.json", ROOT_CALL)
    folder = tmp_path / "notes"
    folder.mkdir()
    monkeypatch.setattr("sys.argv", ["guardray", command, str(file), "--baseline", str(folder)])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert str(folder) in line


@pytest.mark.parametrize(
    ("baseline", "message"),
    [("", "give the folder a name"), ("trail.json", "is not a folder"), ("trail.json/x", "Not a directory")],
)
def test_a_baseline_that_cannot_be_written_is_refused_before_anything_is_read(
    tmp_path: Path, baseline: str, message: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "trail.json", ROOT_CALL)
    with pytest.raises(UsageError, match=message):
        train("no/such/log", "--baseline", baseline, state=tmp_path)


def test_training_takes_what_a_scan_takes_beforehand(tmp_path: Path):
    file = written(tmp_path / "trail.json", ROOT_CALL)
    inventory = written(tmp_path / "inventory.json")
    inventory.write_text('{"AccountId": "111122223333", "Region": "us-east-1", "NetworkInterfaces": []}')
    options = ("--baseline", tmp_path / "baseline", "--inventory")
    assert train(file, *options, inventory, state=tmp_path).exit_code == 0
    with pytest.raises(UsageError, match="nowhere"):
        train(file, *options, tmp_path / "nowhere.json", state=tmp_path)


def test_a_baseline_that_is_not_there_is_told_of(tmp_path: Path, capsys, monkeypatch):
    file = written(tmp_path / "trail.json", ROOT_CALL)
    monkeypatch.setattr("sys.argv", ["guardray", "scan", str(file), "--baseline", str(tmp_path / "nowhere")])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 2
    assert "nowhere" in capsys.readouterr().err


def test_a_scan_of_days_that_were_learned_says_that_they_are_no_news(tmp_path: Path):
    name = "111122223333_CloudTrail_us-east-1_{:%Y%m%d}T1000Z_abcdefgh12345678.json"
    learned, later = (written(tmp_path / name.format(day), policy_set(day)) for day in (MONDAY, MONDAY + timedelta(1)))
    baseline = tmp_path / "baseline"
    train(learned, "--baseline", baseline, state=tmp_path)
    told = "learned from days up to 2026-01-12"
    assert told in scan(learned, "--baseline", baseline, state=tmp_path).stderr
    assert told not in scan(later, "--baseline", baseline, state=tmp_path).stderr


def test_an_event_from_the_future_makes_no_day_known_and_is_told_of(tmp_path: Path):
    file = written(tmp_path / "trail.json", policy_set(MONDAY), policy_set(date(2099, 1, 1)))
    result = train(file, "--baseline", tmp_path / "baseline", state=tmp_path)
    assert "known up to 2026-01-12" in result.stderr
    assert "1 late" in scan(file, state=tmp_path).stderr


def test_what_was_learned_with_another_definition_is_learned_anew(tmp_path: Path):
    baseline = tmp_path / "baseline"
    first = written(tmp_path / "first.json", policy_set(MONDAY))
    train(first, "--baseline", baseline, state=tmp_path)
    habits = {name: table for name, table in Baseline.open(baseline).tables.items() if name.startswith("activities/")}
    gone = {"activities/management calls/gone": next(iter(habits.values()))}
    Baseline(_without_marks({**Baseline.open(baseline).tables, **gone})).save(baseline)
    told = "what the baseline knows of management calls is left out"
    assert told in scan(first, "--baseline", baseline, state=tmp_path).stderr
    second = written(tmp_path / "second.json", policy_set(MONDAY + timedelta(days=1)))
    assert told in train(second, "--baseline", baseline, state=tmp_path).stderr
    assert "left out" not in scan(second, "--baseline", baseline, state=tmp_path).stderr
    learned = Baseline.open(baseline).tables
    assert learned.keys() & gone.keys() == set()
    assert learned.keys() >= habits.keys()
    assert sum(table.num_rows for name, table in learned.items() if name.startswith("configurations/")) == 1


def _without_marks(tables: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    return {name: table.replace_schema_metadata(None) for name, table in tables.items()}
