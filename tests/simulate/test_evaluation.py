"""Accounts to measure detectors of behaviour on."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from simulate.conftest import EVALUATION_SEED

from guardray.errors import UsageError
from guardray.simulate.evaluation import ATTACKS_FROM_DAY, write_evaluation
from guardray.simulate.evaluation.incidents import PLACES
from guardray.simulate.evaluation.scripts import SCRIPTS, TYPES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def labels(evaluation: Path) -> list[dict[str, str]]:
    return rows_of(evaluation)


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "labels.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_attacks_begin_after_two_weeks(labels: list[dict[str, str]]) -> None:
    first = datetime(2026, 1, 5).astimezone() + timedelta(days=ATTACKS_FROM_DAY)
    attacks = [row for row in labels if row["expected"] != "benign"]
    assert attacks
    assert all(datetime.fromisoformat(row["start"].replace("Z", "+00:00")) >= first for row in attacks)


def test_what_is_harmless_outnumbers_attacks(labels: list[dict[str, str]]) -> None:
    cases = {row["case"] for row in labels if row["expected"] != "benign"}
    harmless = [row for row in labels if row["expected"] == "benign"]
    assert len(harmless) > 2 * len(cases)


def test_labels_name_the_principal_as_findings_do(labels: list[dict[str, str]]) -> None:
    of_callers = [row for row in labels if row["actor"]]
    assert all(any(part.startswith(("AIDA", "AROA")) for part in row["entity"].split("|")) for row in of_callers)


def test_every_type_of_callers_is_in_a_script() -> None:
    assert {tactic for script in SCRIPTS for tactic, _, _ in script.steps} == set(TYPES)


def test_shares_of_places_are_whole() -> None:
    assert sum(share for _, share in PLACES) == pytest.approx(1)


def test_equal_seeds_give_equal_labels_and_other_seeds_others(labels: list[dict[str, str]], tmp_path: Path) -> None:
    for name, seed in (("same", EVALUATION_SEED), ("other", 2)):
        write_evaluation(tmp_path / name, accounts=1, seed=seed)
    assert rows_of(tmp_path / "same") == labels != rows_of(tmp_path / "other")


def test_a_period_that_is_too_short_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least 28"):
        write_evaluation(tmp_path / "out", accounts=1, seed=1, days=20)
