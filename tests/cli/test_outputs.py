"""What becomes of findings when where they shall go is odd, full or gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from scanning import ROOT_CALL, ROOT_USE, found, scan

from guardray.cli.outputs import Outputs
from guardray.errors import StoreError, UsageError
from guardray.sources.objects import KeyFilter, locate

FULL = Path("/dev/full")
needs_full_device = pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")


@pytest.fixture
def trail(tmp_path: Path) -> Path:
    file = tmp_path / "trail.json"
    file.write_text(json.dumps({"Records": [ROOT_CALL]}))
    return file


def run(*arguments: object, **how) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "guardray", "scan", *map(str, arguments)]
    return subprocess.run(command, text=True, check=False, **how)


@pytest.mark.parametrize("name", ["trail.json", "link.json", "hard-link.json"])
def test_an_output_that_is_an_input_is_refused_and_left_as_it_is(trail: Path, name: str):
    (trail.parent / "link.json").symlink_to(trail)
    (trail.parent / "hard-link.json").hardlink_to(trail)
    before = trail.read_text()
    with pytest.raises(UsageError, match="one of the inputs"):
        scan(trail, "--output", trail.parent / name, state=trail.parent)
    assert trail.read_text() == before


@pytest.mark.parametrize("output", ["there.jsonl/findings.jsonl", "no/folder/findings.jsonl", "."])
def test_an_output_that_cannot_be_is_refused_before_the_scan(trail: Path, tmp_path: Path, output: str):
    (tmp_path / "there.jsonl").touch()
    with pytest.raises(UsageError, match="--output"):
        Outputs(output=tmp_path / output).check([])


def test_a_store_that_cannot_be_is_refused_before_the_scan(trail: Path):
    with pytest.raises(StoreError):
        Outputs(store=str(trail)).check(locate([str(trail)], KeyFilter()))


def test_an_output_is_replaced_whole_and_nothing_is_left_beside_it(trail: Path, tmp_path: Path):
    output = tmp_path / "findings.jsonl"
    output.write_text("of yesterday")
    scan(trail, "--output", output, state=tmp_path)
    assert [finding["type"] for finding in found(output)] == [ROOT_USE]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["findings.jsonl", "trail.json"]


def test_an_output_that_fails_leaves_what_was_there(trail: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    output = tmp_path / "findings.jsonl"
    output.write_text("of yesterday")
    monkeypatch.setattr("guardray.cli.outputs.write_findings", fail)
    with pytest.raises(UsageError, match=r"findings\.jsonl: No space left"):
        scan(trail, "--output", output, state=tmp_path)
    assert output.read_text() == "of yesterday"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["findings.jsonl", "trail.json"]


def test_an_output_behind_a_link_is_written_where_the_link_leads(trail: Path, tmp_path: Path):
    link = tmp_path / "latest.jsonl"
    link.symlink_to("findings.jsonl")
    scan(trail, "--output", link, state=tmp_path)
    assert link.is_symlink()
    assert len(found(tmp_path / "findings.jsonl")) == 1


def test_findings_are_shown_though_the_store_fails_at_the_end(
    trail: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_, **__):
        raise StoreError("the server has gone")

    monkeypatch.setattr("guardray.cli.scan.commit", fail)
    output = tmp_path / "findings.jsonl"
    with pytest.raises(StoreError, match="has gone"):
        scan(trail, "--output", output, "--store", tmp_path / "findings.sqlite", state=tmp_path)
    assert len(found(output)) == 1


@needs_full_device
@pytest.mark.parametrize("arguments", [("--output", FULL), ("--format", "jsonl"), ()], ids=str)
def test_a_full_disk_is_one_line_on_stderr_and_exit_status_2(trail: Path, tmp_path: Path, arguments: tuple):
    with FULL.open("w") as full:
        done = run(trail, "--quiet", *arguments, stdout=full, stderr=subprocess.PIPE, cwd=tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.endswith("No space left on device")


def test_a_reader_that_goes_away_changes_nothing_about_the_exit_status(trail: Path, tmp_path: Path):
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "w") as pipe:
        done = run(trail, "--format", "jsonl", "--quiet", stdout=pipe, stderr=subprocess.PIPE, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [["--help"], ["detectors", "list"], ["detectors", "list", "-f", "json"]], ids=str)
def test_a_reader_that_goes_away_is_no_failure_of_any_command(arguments: list[str]):
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "w") as pipe:
        command = [sys.executable, "-m", "guardray", *arguments]
        done = subprocess.run(command, text=True, check=False, stdout=pipe, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_terminal_that_lacks_a_letter_shows_another_and_json_stays_whole(tmp_path: Path):
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii"}

    def shown(*options: str) -> bytes:
        command = [sys.executable, "-m", "guardray", "detectors", "show", ROOT_USE, *options]
        return subprocess.run(command, check=True, capture_output=True, env=ascii_only).stdout

    assert b"? root creates a user" in shown()
    assert json.loads(shown("--format", "json"))["entry"]["type"] == ROOT_USE


def test_a_command_that_is_started_with_its_output_closed_does_its_work(trail: Path, tmp_path: Path):
    for arguments in ("detectors list", f"scan {trail} --output {tmp_path / 'findings.jsonl'}"):
        command = f"{sys.executable} -m guardray {arguments} >&- 2>&-"
        assert subprocess.run(command, shell=True, check=False, cwd=tmp_path).returncode == 0
    assert len(found(tmp_path / "findings.jsonl")) == 1


def test_an_output_named_by_a_dash_is_standard_output_and_holds_lines(trail: Path, tmp_path: Path):
    done = run(trail, "--quiet", "-o", "-", stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path)
    assert [json.loads(line)["type"] for line in done.stdout.splitlines()] == [ROOT_USE]
    assert not (tmp_path / "-").exists()


def test_json_on_standard_output_is_utf_8_whatever_the_locale_says(tmp_path: Path):
    identity = ROOT_CALL["userIdentity"] | {"accessKeyId": "Schlüssel"}
    trail = tmp_path / "trail.json"
    trail.write_text(json.dumps({"Records": [ROOT_CALL | {"userIdentity": identity}]}))
    environment = os.environ | {"PYTHONIOENCODING": "latin-1"}
    command = [sys.executable, "-m", "guardray", "scan", str(trail), "--format", "jsonl", "--quiet"]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, check=True, env=environment)
    assert json.loads(done.stdout.decode())["resource"]["accessKeyDetails"]["accessKeyId"] == "Schlüssel"
