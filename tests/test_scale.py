"""The arithmetic of docs/scale.md."""

from __future__ import annotations

from itertools import pairwise

import pytest
from guardray_docs.scale import ACCOUNT_ENTITIES, BUSY, CLUSTER, ENTITY_BYTES, SCALES, SOURCES, Scale, blocks


def test_shares_of_sources_are_all_events():
    assert sum(source.share for source in SOURCES) == pytest.approx(1)


def test_cores_are_the_time_that_all_rows_take_at_how_busy_workers_are_meant_to_be():
    """86,400 events a day are one a second."""
    per_event = sum(source.share / source.rate for source in SOURCES)
    assert Scale(86_400, 1).cores == pytest.approx(per_event / CLUSTER / BUSY)


def test_twice_the_events_take_twice_the_cores_and_state_beyond_what_is_learned():
    one, two = Scale(1e11, 10), Scale(2e11, 10)
    learned = 10 * ACCOUNT_ENTITIES * ENTITY_BYTES
    assert two.cores == pytest.approx(2 * one.cores)
    assert two.state_bytes - learned == pytest.approx(2 * (one.state_bytes - learned))


def test_objects_are_delivered_by_the_clock_until_they_are_full():
    quiet = Scale(1.0, 1).objects
    assert quiet == Scale(1e6, 1).objects
    assert Scale(1e13, 1).objects == pytest.approx(Scale(1e13, 1).log_bytes / 50e6)


def test_larger_scales_take_more_of_everything_and_less_for_an_event():
    for small, large in pairwise(SCALES):
        assert small.cores < large.cores
        assert small.services <= large.services
        assert sum(large.dollars.values()) / large.events < sum(small.dollars.values()) / small.events


def test_every_source_and_scale_is_in_the_tables():
    tables = blocks()
    assert all(source.name in tables["sources"] for source in SOURCES)
    assert all(len(line.split("|")) == len(SCALES) + 3 for line in tables["scales"].splitlines())
