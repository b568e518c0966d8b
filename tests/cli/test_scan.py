"""`guardray scan` as a person runs it: what it prints, writes and exits with."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from scanning import ROOT_CALL, ROOT_USE, found, scan

from guardray.detectors.loader import load_detectors


@pytest.fixture
def trail(tmp_path: Path) -> Path:
    file = tmp_path / "trail.json.gz"
    file.write_bytes(gzip.compress(json.dumps({"Records": [ROOT_CALL]}).encode()))
    return file


def test_a_scan_shows_a_table_and_exits_with_0(trail: Path, tmp_path: Path):
    result = scan(trail, state=tmp_path)
    assert result.exit_code == 0
    assert "1 finding: 1 low" in result.stdout
    assert "1 finding in 1 row of 1 object, " in result.stderr


def test_an_output_file_holds_one_finding_a_line_in_guarddutys_json(trail: Path, tmp_path: Path):
    output = tmp_path / "findings.jsonl"
    assert scan(trail, "--output", output, state=tmp_path).exit_code == 0
    (finding,) = found(output)
    assert (finding["type"], finding["accountId"], finding["service"]["count"]) == (ROOT_USE, "111122223333", 1)


@pytest.mark.parametrize(("severity", "status"), [("low", 1), ("medium", 0)])
def test_fail_on_decides_the_exit_status(trail: Path, tmp_path: Path, severity: str, status: int):
    assert scan(trail, "--fail-on", severity, state=tmp_path).exit_code == status


@pytest.mark.parametrize("format_", ["jsonl", "ocsf", "asff"])
def test_a_format_is_written_to_standard_output(trail: Path, tmp_path: Path, format_: str):
    result = scan(trail, "--format", format_, state=tmp_path)
    assert len([json.loads(line) for line in result.stdout.splitlines()]) == 1


def test_a_bad_row_is_set_aside_with_its_place_and_the_rest_goes_on(trail: Path, tmp_path: Path):
    lines = tmp_path / "events.jsonl"
    good = json.dumps(ROOT_CALL)
    lines.write_text(f"{good}\n{{broken\n")
    output, state = tmp_path / "out.jsonl", tmp_path / "state"
    result = scan(lines, "--output", output, state=state)
    assert result.exit_code == 3
    assert f"{lines}, offset {len(good) + 1}" in result.stderr
    assert len(found(output)) == 1
    (kept,) = (state / "set-aside").glob("*.jsonl")
    assert json.loads(kept.read_text())["content"].startswith("{broken")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no/such/file"], "no/such/file"),
        (["{trail}", "--fail-on", "dreadful"], "dreadful"),
        (["{trail}", "--fail-onn", "low"], "--fail-onn"),
        (["{trail}", "--since", "yesterday"], "--since"),
        ([], "sources"),
        (["{trail}", "--type", "Nonsense:EC2/Nothing"], "Nonsense:EC2/Nothing"),
        (["{trail}", "--threat-list", "no/list.txt"], "no/list.txt"),
        (["{trail}", "--output", "no/folder/findings.jsonl"], "no/folder/findings.jsonl"),
        (["{trail}", "--store", "mysql://host/db"], "mysql"),
        (["{trail}", "--engine", "local", "--workers", "2"], "--workers is for Ray"),
        (["{trail}", "--engine", "local", "--address", "auto"], "--address is for Ray"),
        (["{trail}", "--store", ""], "a store is a path"),
        (["{trail}", "--since", "2026-02-01", "--until", "2026-01-01"], "--since 2026-02-01"),
        (["{trail}", "--since", "2026-02-01", "--until", "2026-02-01"], "--since 2026-02-01"),
        (["{trail}", "--since", "0001-01-01T00:00:00+14:00"], "0001-01-01"),
        (["{trail}", "--until", "9999-12-31"], "9999-12-31"),
        (["{trail}", "--account", "23456789012"], "12 digits"),
        (["{trail}", "--account", ""], "12 digits"),
        (["{trail}", "--region", ""], "--region ''"),
        (["{trail}", "--address", " "], "--address is empty"),
        (["{trail}", "--fail-on", ""], "--fail-on: "),
        (["{trail}", "--baseline", "{trail}"], "trail.json.gz: is not a folder"),
        (["s3://bucket/x", "--s3-endpoint", "not a url"], "not a url"),
        ([""], "a source is empty"),
    ],
)
def test_a_wrong_option_is_one_line_on_stderr_and_exit_status_2(
    trail: Path, tmp_path: Path, arguments: list[str], message: str
):
    command = [sys.executable, "-m", "guardray", "scan", *(part.format(trail=trail) for part in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("hours", ["nan", "inf", "-1", "1e300"])
def test_a_lateness_that_is_no_span_of_time_is_refused(trail: Path, tmp_path: Path, hours: str):
    result = scan(trail, "--lateness", hours, state=tmp_path)
    assert result.exit_code == 2
    assert "--lateness" in result.stderr


def test_a_state_folder_that_cannot_be_made_is_said_once_and_the_scan_goes_on(trail: Path, tmp_path: Path):
    lines = tmp_path / "events.jsonl"
    lines.write_text(f"{json.dumps(ROOT_CALL)}\n{{broken\n{{broken too\n")
    state = tmp_path / "state"
    state.touch()
    result = scan(lines, state=state)
    assert result.exit_code == 3
    assert result.stderr.count("nothing more is kept in") == 1
    assert "2 rows and 0 objects set aside" in result.stderr
    assert "1 finding: 1 low" in result.stdout


def test_a_detector_that_fails_is_named_and_the_others_go_on(
    trail: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def broken(row):
        raise KeyError("no_such_column")

    root_use, kali = load_detectors([ROOT_USE, "PenTest:IAMUser/KaliLinux"])[::-1]
    detectors = (replace(root_use, finding_type="Policy:IAMUser/Broken", details=broken), kali, root_use)
    monkeypatch.setattr("guardray.rulebook.loading.load_detectors", lambda only=(): detectors)
    result = scan(trail, state=tmp_path)
    assert result.exit_code == 3
    assert "detector failed: Policy:IAMUser/Broken" in result.stderr
    assert "no_such_column" in result.stderr
    assert "1 finding: 1 low" in result.stdout


def test_a_folder_with_nothing_in_it_is_said_to_hold_nothing(tmp_path: Path):
    result = scan(tmp_path, state=tmp_path / "state")
    assert result.exit_code == 0
    assert "nothing to read" in result.stderr


def test_standard_input_is_read_where_a_file_is_meant(trail: Path, tmp_path: Path):
    command = [sys.executable, "-m", "guardray", "scan", "-", "--format", "jsonl", "--quiet"]
    done = subprocess.run(command, input=trail.read_bytes(), capture_output=True, cwd=tmp_path, check=True)
    assert json.loads(done.stdout)["type"] == ROOT_USE


def test_a_store_keeps_findings_and_scanning_again_counts_nothing_twice(trail: Path, tmp_path: Path):
    from guardray.store.findings import FindingStore

    store = tmp_path / "findings.sqlite"
    for _ in range(2):
        assert scan(trail, "--store", store, state=tmp_path).exit_code == 0
    with FindingStore.open(str(store)) as opened:
        (finding,) = opened.findings()
        assert (finding.type, finding.count) == (ROOT_USE, 1)
        assert opened.evidence(finding.id)[0].row["api_operation"] == "CreateUser"


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--since", "2026-01-12T10:00:00", 1),
        ("--since", "2026-01-12T10:00:01", 0),
        ("--until", "2026-01-12T10:00:00", 0),
        ("--account", "111122223333", 1),
        ("--account", "444455556666", 0),
        ("--region", "us-east-1", 1),
        ("--region", "eu-west-1", 0),
        ("--type", "PenTest:IAMUser/KaliLinux", 0),
    ],
)
def test_filters_keep_only_what_was_asked_for(trail: Path, tmp_path: Path, option: str, value: str, expected: int):
    output = tmp_path / "findings.jsonl"
    assert scan(trail, "--output", output, option, value, state=tmp_path).exit_code == 0
    assert len(found(output)) == expected
