"""Findings as frames."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from guardray.evaluation.frames import compared, findings
from guardray.findings.sighting import Occurrence, Sighting, SightingKey

START = datetime(2026, 1, 5, tzinfo=UTC)


def seen(entity: str, day: int) -> Sighting:
    time = START + timedelta(days=day)
    row = Occurrence(time, day, {})
    return Sighting(SightingKey("Discovery:IAMUser/AnomalousBehavior", "1", "r", entity), 1, time, time, row, (row,))


def test_days_of_a_finding_are_one_row() -> None:
    found = findings([seen("alice", 1), seen("alice", 3), seen("bob", 2)])
    assert found[["entity", "count"]].to_numpy().tolist() == [["alice", 2], ["bob", 1]]


def test_a_change_shows_what_appears_vanishes_and_stays() -> None:
    changed = compared([seen("alice", 1), seen("bob", 1)], [seen("bob", 2), seen("carol", 1)])
    assert dict(zip(changed["entity"], changed["change"], strict=True)) == {
        "alice": "vanishes",
        "bob": "stays",
        "carol": "appears",
    }


def test_nothing_is_an_empty_frame_with_the_same_columns() -> None:
    assert compared([], []).empty
    assert list(findings([]).columns) == ["account", "type", "entity", "count", "first_seen", "last_seen"]
