"""A soak tells growth from steadiness."""

from __future__ import annotations

from tests.soak.verdict import Sample, failures


def samples(mb_per_min: float, backlog_per_min: float) -> list[Sample]:
    return [
        Sample(
            at_s=60 * minute,
            pss_mb={"a": 900 + mb_per_min * minute, "b": 100},
            backlog=round(30 + backlog_per_min * minute),
            p50_s=2,
            p95_s=4,
        )
        for minute in range(30)
    ]


def test_steady_memory_and_queues_pass():
    assert failures(samples(0, 0)) == []


def test_memory_that_grows_fails():
    assert "memory grows by 600 MB an hour" in failures(samples(10, 0))[0]


def test_a_queue_that_grows_fails():
    assert "20.0 more objects wait each minute" in failures(samples(0, 20))[0]


def test_what_grows_only_while_it_warms_up_passes():
    grown = samples(0, 0)
    early = [
        Sample(at_s=s.at_s, pss_mb={"a": 10.0 * i}, backlog=i, p50_s=None, p95_s=None) for i, s in enumerate(grown[:9])
    ]
    assert failures([*early, *grown[9:]]) == []
