"""The deduplicator against a set."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.shards.deduplicator import DAY_US, Deduplicator

events = st.lists(st.tuples(st.integers(0, 20), st.integers(-2, 2)), max_size=60)


def ask(deduplicator: Deduplicator, events: list[tuple[int, int]]) -> list[bool]:
    hashes = np.array([event for event, _ in events], dtype=np.uint64)
    time = np.array([day * DAY_US + event for event, day in events], dtype=np.int64)
    return deduplicator.first_seen(hashes, time).tolist()


@given(events, st.integers(0, 60))
def test_an_event_is_new_exactly_once_however_the_events_are_batched(events, cut: int):
    seen: set[tuple[int, int]] = set()
    expected = [event not in seen and not seen.add(event) for event in events]
    deduplicator = Deduplicator()
    assert ask(deduplicator, events[:cut]) + ask(deduplicator, events[cut:]) == expected
    assert len(deduplicator) == len(seen)


@given(events, events)
def test_a_restored_deduplicator_answers_as_the_one_it_was_taken_from(before, after):
    running, restored = Deduplicator(), Deduplicator()
    ask(running, before)
    restored.restore(running.export())
    assert ask(restored, after) == ask(running, after)
    assert restored.export().equals(running.export())


def test_days_are_forgotten_once_all_of_the_day_is_before_the_given_time():
    deduplicator = Deduplicator()
    ask(deduplicator, [(1, 0), (1, 1)])
    deduplicator.forget(DAY_US - 1)
    assert ask(deduplicator, [(1, 0), (1, 1)]) == [False, False]
    deduplicator.forget(DAY_US)
    assert ask(deduplicator, [(1, 0), (1, 1)]) == [True, False]


def test_another_kind_of_table_is_refused():
    with pytest.raises(ValueError, match="hash: uint64"):
        Deduplicator().restore(pa.table({"day": [1]}))
