"""A soak tells growth from steadiness."""

from __future__ import annotations

from dataclasses import replace

from tests.soak.verdict import Course, Sample, failures

SEEN = [(60.0 * minute, 2.0) for minute in range(30)]


def course(mb_per_min: float = 0, backlog_per_min: float = 0, latencies=SEEN) -> Course:
    samples = [
        Sample(
            at_s=60 * minute,
            pss_mb={"a": 900 + mb_per_min * minute, "b": 100},
            backlog=round(30 + backlog_per_min * minute),
        )
        for minute in range(30)
    ]
    return Course(samples=samples, latencies=latencies)


def test_steady_memory_and_queues_pass():
    assert failures(course()) == []


def test_memory_that_grows_fails():
    assert "memory grows by 600 MB an hour" in failures(course(mb_per_min=10))[0]


def test_a_queue_that_grows_fails():
    assert "20.0 more objects wait each minute" in failures(course(backlog_per_min=20))[0]


def test_what_grows_only_while_it_warms_up_passes():
    grown = course().samples
    early = [replace(one, pss_mb={"a": 10.0 * i}, backlog=i) for i, one in enumerate(grown[:9])]
    assert failures(Course(samples=[*early, *grown[9:]], latencies=SEEN)) == []


def test_findings_that_take_too_long_fail():
    slow = [(at, 2.0 if number % 10 else 9.0) for number, (at, _) in enumerate(SEEN)]
    assert "5 of 100 findings take more than 9.0 s" in failures(course(latencies=slow))[0]


def test_findings_that_took_long_while_it_warmed_up_pass():
    assert failures(course(latencies=[(at, 30.0 if at < 500 else 2.0) for at, _ in SEEN])) == []


def test_a_finding_that_is_never_seen_fails():
    assert failures(replace(course(), lost=["somebody's"])) == ["never seen: somebody's"]


def test_a_soak_without_any_finding_fails():
    assert failures(course(latencies=[])) == ["no finding was seen"]
