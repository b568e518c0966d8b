"""Findings made from sightings, merged and ordered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from finding_examples import NOW, c2_domain, details_of, folded, sighting, single_sightings, ssh_brute_force
from hypothesis import given
from hypothesis import strategies as st

from guardray.findings.finding import finding_of, most_urgent_first
from guardray.findings.sighting import SAMPLES_KEPT


def test_the_details_severity_and_role_win_over_the_detectors():
    assert (c2_domain().severity, c2_domain().resource_role) == (9.0, "ACTOR")
    assert (ssh_brute_force().severity, ssh_brute_force().resource_role) == (2.0, "TARGET")


def test_times_are_utc_to_the_millisecond_whatever_they_came_as():
    written = datetime(2024, 5, 1, 14, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=2)))
    one = sighting("Recon:EC2/Portscan")
    assert finding_of(one, details_of(one), 5.0, "ACTOR", written).created_at == datetime(
        2024, 5, 1, 12, 0, 0, 123_000, tzinfo=UTC
    )


def test_the_evidence_is_the_earliest_rows_and_the_latest_one():
    parts = [sighting("Recon:EC2/Portscan", seconds=second, digest=second) for second in range(9)]
    (finding,) = folded(parts)
    assert [row.digest for row in finding.evidence] == [*range(SAMPLES_KEPT), 8]


def test_an_update_keeps_the_creation_time_and_makes_an_archived_finding_current():
    first = replace(ssh_brute_force(seconds=100), archived=True)
    later = replace(
        ssh_brute_force(seconds=200, digest=2), created_at=NOW + timedelta(1), updated_at=NOW + timedelta(1)
    )
    merged = first.merge(later)
    assert (merged.created_at, merged.updated_at, merged.archived) == (NOW, NOW + timedelta(1), False)
    assert (merged.count, merged.event_last_seen) == (2, later.event_last_seen)


def test_what_it_says_is_the_latest_occurrence_even_when_that_was_counted_first():
    latest = replace(ssh_brute_force(seconds=200, digest=2), title="latest", severity=8.0)
    merged = latest.merge(replace(ssh_brute_force(seconds=100), title="earlier"))
    assert (merged.title, merged.severity) == ("latest", 8.0)


def test_findings_of_two_ids_do_not_merge():
    with pytest.raises(ValueError, match="cannot merge"):
        ssh_brute_force("i-1").merge(ssh_brute_force("i-2"))


@given(single_sightings(), st.randoms(use_true_random=False))
def test_merging_findings_equals_the_finding_of_merged_sightings(sightings, random):
    parts = [folded([one])[0] for one in sightings]
    random.shuffle(parts)
    merged = {}
    for part in parts:
        merged[part.id] = merged[part.id].merge(part) if part.id in merged else part
    whole = {finding.id: finding for finding in folded(sightings)}
    assert merged == whole
    assert {key: finding.evidence for key, finding in merged.items()} == {
        key: finding.evidence for key, finding in whole.items()
    }


def test_order_is_severity_then_last_seen_then_type_and_id():
    low = ssh_brute_force(seconds=500)
    early, late = (replace(c2_domain(seconds=second), id=str(second)) for second in (1, 2))
    twins = [
        replace(late, type="A:EC2/B"),
        replace(late, type="A:EC2/A", id="b"),
        replace(late, type="A:EC2/A", id="a"),
    ]
    ordered = most_urgent_first([low, early, late, *twins])
    assert ordered == [twins[2], twins[1], twins[0], late, early, low]
