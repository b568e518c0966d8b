"""What a store holds after several scans."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from scanning import ROOT_CALL, ROOT_USE, scan

from guardray.store.findings import FindingStore

CALLER = "198.51.100.7"
LISTED_CALLER = "UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom"


def trail_of(*events: str) -> str:
    return json.dumps({"Records": [ROOT_CALL | {"eventID": event} for event in events]})


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "findings.sqlite"


@pytest.fixture
def trail(tmp_path: Path) -> Path:
    file = tmp_path / "trail.json"
    file.write_text(trail_of("first"))
    return file


def kept(store: Path) -> dict[str, int]:
    """How often each finding type was seen."""
    with FindingStore.open(str(store)) as opened:
        return {finding.type: finding.count for finding in opened.findings()}


def test_one_file_scanned_under_two_names_counts_once(trail: Path, store: Path, tmp_path: Path):
    copy = tmp_path / "copy.json"
    copy.write_bytes(trail.read_bytes())
    for file in (trail, copy):
        result = scan(file, "--store", store, state=tmp_path)
    assert kept(store) == {ROOT_USE: 1}
    assert "1 of them had been stored before" in result.stderr


def test_other_input_through_standard_input_counts_too(store: Path, tmp_path: Path):
    command = [sys.executable, "-m", "guardray", "scan", "-", "--quiet", "--store", str(store)]
    for event in ("first", "second"):
        subprocess.run(command, input=trail_of(event).encode(), capture_output=True, cwd=tmp_path, check=True)
    assert kept(store) == {ROOT_USE: 2}


def test_a_file_that_was_rewritten_in_its_old_length_counts_too(trail: Path, store: Path, tmp_path: Path):
    scan(trail, "--store", store, state=tmp_path)
    trail.write_text(trail_of("other"))
    scan(trail, "--store", store, state=tmp_path)
    assert kept(store) == {ROOT_USE: 2}


def test_a_first_threat_list_adds_its_types_and_counts_no_other_twice(trail: Path, store: Path, tmp_path: Path):
    threats = tmp_path / "threats.txt"
    threats.write_text(f"{CALLER}\n")
    scan(trail, "--store", store, state=tmp_path)
    scan(trail, "--store", store, "--threat-list", threats, state=tmp_path)
    assert kept(store) == {ROOT_USE: 1, LISTED_CALLER: 1}


def test_a_scan_for_all_types_after_one_for_a_single_type_counts_nothing_twice(
    trail: Path, store: Path, tmp_path: Path
):
    scan(trail, "--store", store, "--type", ROOT_USE, state=tmp_path)
    scan(trail, "--store", store, state=tmp_path)
    assert kept(store) == {ROOT_USE: 1}


def test_the_order_in_which_accounts_are_named_makes_no_other_epoch(trail: Path, store: Path, tmp_path: Path):
    accounts = [f"{number:012}" for number in range(8)] + ["111122223333"]
    for order in (accounts, accounts[::-1]):
        scan(trail, "--store", store, *(word for one in order for word in ("--account", one)), state=tmp_path)
    assert kept(store) == {ROOT_USE: 1}
