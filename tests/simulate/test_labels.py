"""The labels file is what the scorer reads, and says what a perfect detector would say."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from guardray.simulate import attack_types, simulate

from .conftest import DAYS, RATE, Logs


@pytest.fixture(scope="session")
def scorer(shared_data: Path) -> ModuleType:
    """The scorer that stands beside the real logs."""
    script = shared_data.parent / "eval" / "score.py"
    if not script.is_file():
        pytest.skip(f"the scorer is not beside the checkout: {script}")
    spec = importlib.util.spec_from_file_location("score", script)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["score"] = module
    spec.loader.exec_module(module)
    return module


def finding(label: dict[str, str], finding_type: str = "", entity: str = "") -> dict[str, Any]:
    """The finding that a perfect detector would raise for a row, as little of it as the scorer reads."""
    return {
        "type": finding_type or label["expected"],
        "accountId": label["account"],
        "severity": 5,
        "resource": {"named": entity or label["entity"].split("|")[0]},
        "service": {"eventFirstSeen": label["start"], "eventLastSeen": label["end"]},
    }


def score(scorer: ModuleType, logs: Logs, findings: list[dict[str, Any]]) -> dict[str, Any]:
    rows = scorer.read_labels(str(logs.folder / "labels.csv"))
    parsed = [scorer.parse_finding(json.loads(json.dumps(one)), "test") for one in findings]
    return scorer.score(parsed, rows, scorer.Options())


@pytest.mark.data
def test_perfect_findings_score_perfectly(logs: Logs, scorer: ModuleType) -> None:
    findings = [finding(label) for label in logs.labels if label["expected"] != "benign"]
    totals = score(scorer, logs, findings)["totals"]
    assert totals["recall_strict"] == 1.0
    assert totals["false_positives"] == 0


@pytest.mark.data
def test_every_named_entity_of_an_attack_catches_it(logs: Logs, scorer: ModuleType) -> None:
    for label in (label for label in logs.labels if label["expected"] != "benign"):
        for entity in label["entity"].split("|"):
            cases = score(scorer, logs, [finding(label, entity=entity)])["cases"]
            assert any(case["case"] == label["case"] and case["strict"] for case in cases), (label["case"], entity)


@pytest.mark.data
def test_finding_about_nothing_is_false_and_days_are_counted(logs: Logs, scorer: ModuleType) -> None:
    """Two accounts of half a day each lie on one day each: two account-days."""
    everything = next(label for label in logs.labels if label["technique"] == "benign:everything else")
    totals = score(scorer, logs, [finding(everything, "Recon:EC2/Portscan", "i-nobody")])["totals"]
    assert totals["false_positives"] == 1
    assert totals["account_days"] == 2.0
    assert DAYS < 1


@pytest.mark.data
def test_tripped_hard_negative_is_named(logs: Logs, scorer: ModuleType) -> None:
    test = next(label for label in logs.labels if label["technique"] == "benign:load test")
    result = score(scorer, logs, [finding(test, "Backdoor:EC2/DenialOfService.Tcp")])
    assert result["hard_negatives"]["load test"]["findings"] == 1


def test_first_account_has_every_type_and_the_second_fewer(logs: Logs) -> None:
    first, second = logs.summary.accounts
    types = {
        account: {label.expected for label in logs.summary.attacks if label.account == account}
        for account in (first, second)
    }
    assert types[first] == set(attack_types(DAYS))
    assert types[second] < types[first]


def test_hard_negatives_outnumber_attacks(logs: Logs) -> None:
    assert logs.summary.hard_negatives > len(logs.summary.attacks)


def test_every_attack_of_one_type_is_placed_when_only_it_is_asked_for(tmp_path: Path) -> None:
    done = simulate(tmp_path / "out", accounts=1, days=0.125, seed=2, rate=RATE, attacks=["Recon:EC2/Portscan"])
    assert [label.expected for label in done.attacks] == ["Recon:EC2/Portscan"]


def test_cases_are_told_apart(logs: Logs) -> None:
    cases = Counter(label["case"] for label in logs.labels if label["expected"] != "benign")
    assert set(cases.values()) == {1}


def test_rows_lie_within_the_period(logs: Logs) -> None:
    whole = next(label for label in logs.labels if label["technique"] == "benign:everything else")
    for label in logs.labels:
        assert whole["start"] <= label["start"] <= label["end"] <= whole["end"], label["technique"]
