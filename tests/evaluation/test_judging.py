"""Findings beside labels."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guardray.evaluation.judging import Labels, judge
from guardray.findings.sighting import Occurrence, Sighting, SightingKey
from guardray.simulate.labels import Label, write_labels

ACCOUNT = "111122223333"
START = datetime(2026, 1, 5, tzinfo=UTC)
DISCOVERY, IMPACT = "Discovery:IAMUser/AnomalousBehavior", "Impact:IAMUser/AnomalousBehavior"


def at(day: float) -> float:
    return (START + timedelta(days=day)).timestamp()


@pytest.fixture
def labels(tmp_path: Path) -> Labels:
    stolen = {"collateral": (IMPACT,), "entity": ("arn:mallory", "AIDAMALLORY"), "case": "one", "technique": "T1078"}
    rows = [
        Label(ACCOUNT, at(16), at(16.5), expected=DISCOVERY, **stolen),
        Label(ACCOUNT, at(15), at(17), "clean-up", entity=("arn:alice", "AIDAALICE")),
        Label(ACCOUNT, at(0), at(28), "everything else"),
    ]
    write_labels(tmp_path / "labels.csv", rows)
    return Labels.read(tmp_path / "labels.csv")


def seen(finding_type: str, principal: str, day: float) -> Sighting:
    time = START + timedelta(days=day)
    key = SightingKey(finding_type, ACCOUNT, "eu-west-1", principal)
    row = Occurrence(time, 1, {"actor_principal": principal})
    return Sighting(key, 1, time, time, row, (row,))


def test_a_finding_of_the_type_about_the_principal_finds_the_attack(labels: Labels) -> None:
    verdict = judge([seen(DISCOVERY, "AIDAMALLORY", 16.25)], labels, from_day=14, days=28)
    assert (verdict.recall, verdict.incident_recall, verdict.per_account_week) == (1.0, 1.0, 0.0)
    assert verdict.delays_hours() == [6.0]


def test_a_finding_of_another_acceptable_type_finds_the_incident_only(labels: Labels) -> None:
    verdict = judge([seen(IMPACT, "AIDAMALLORY", 16.25)], labels, from_day=14, days=28)
    assert (verdict.recall, verdict.incident_recall, verdict.per_account_week) == (0.0, 1.0, 0.0)


def test_a_finding_about_somebody_else_is_false_and_blamed_on_what_they_did(labels: Labels) -> None:
    verdict = judge([seen(DISCOVERY, "AIDAALICE", 16.25)], labels, from_day=14, days=28)
    assert (verdict.incident_recall, verdict.per_account_week) == (0.0, 0.5)
    assert [alarm.harmless for alarm in verdict.false_alarms] == ["clean-up"]


def test_a_finding_before_the_attack_is_false_from_the_first_judged_day_on(labels: Labels) -> None:
    early, late = seen(DISCOVERY, "AIDAMALLORY", 13), seen(DISCOVERY, "AIDAMALLORY", 14.5)
    assert judge([early], labels, from_day=14, days=28).per_account_week == 0.0
    assert judge([late], labels, from_day=14, days=28).per_account_week == 0.5


def test_a_finding_of_two_days_of_a_week_counts_once_and_in_two_weeks_twice(labels: Labels) -> None:
    days = [seen(DISCOVERY, "AIDAALICE", day) for day in (17.5, 18.5, 25)]
    assert len(judge(days[:2], labels, from_day=14, days=28).false_findings) == 1
    assert len(judge(days, labels, from_day=14, days=28).false_findings) == 2
