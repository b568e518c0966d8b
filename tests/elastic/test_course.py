"""A load step is followed when all grow with it and shrink after it."""

from __future__ import annotations

from tests.elastic.course import Sample, failures


def course(workers, replicas=(1, 3, 1), nodes=(1, 4, 1)) -> list[Sample]:
    return [
        Sample(at_s=at, objects_per_s=1, callers=0, backlog=0, workers=w, replicas=r, nodes=n)
        for at, (w, r, n) in enumerate(zip(workers, replicas, nodes, strict=True))
    ]


def test_what_grows_and_shrinks_passes():
    assert failures(course((1, 3, 1))) == []


def test_what_does_not_grow_fails():
    (failure,) = failures(course((1, 1, 1)))
    assert failure == "ingest workers did not grow with the load: there were 1, and never more"


def test_what_does_not_shrink_fails():
    (failure,) = failures(course((1, 3, 1), nodes=(1, 4, 3)))
    assert failure == "nodes did not shrink after the load: there were 1, then 4, and 3 are left"
