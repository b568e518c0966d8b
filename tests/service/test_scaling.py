"""How many workers and shards there should be: up at once, down late, never beyond the bounds, no flapping."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from guardray.service.scaling import (
    History,
    IngestGoals,
    IngestLoad,
    Plan,
    Range,
    ShardGoals,
    ShardLoad,
    plan_ingest,
    plan_shards,
)

GOALS = IngestGoals(range=Range(min=1, max=64), target_age_s=30, quiet_s=300, settle_s=60)
SHARDS = ShardGoals(range=Range(min=1, max=64), max_rows=1_000, max_bytes=1 << 20, quiet_s=3600)

counts = st.integers(1, 200)
loads = st.builds(
    IngestLoad,
    workers=counts,
    backlog=st.integers(0, 10**7),
    oldest_s=st.floats(0, 1e5),
    arrivals_per_s=st.floats(0, 1e4),
    rate_per_worker=st.just(0.0) | st.floats(1e-3, 1e3),
)
shard_loads = st.builds(
    ShardLoad,
    shards=counts,
    rows=st.integers(0, 10**8),
    bytes=st.integers(0, 10**12),
    largest=st.floats(1, 10),
)
ranges = st.tuples(counts, counts).map(lambda pair: Range(min=min(pair), max=max(pair)))
histories = st.builds(
    History,
    demands=st.lists(st.tuples(st.floats(0, 900), st.floats(0, 500)), max_size=4).map(
        lambda found: tuple(sorted(found))
    ),
    since=st.none() | st.floats(0, 900),
    raised=st.none() | st.floats(0, 900),
)


def _ingest(history: History = History(), now: float = 0.0, **load: float) -> Plan:  # noqa: B008 - it is frozen
    return plan_ingest(IngestLoad(**load), GOALS, history, now)


def test_workers_grow_at_once_to_what_the_backlog_asks_for():
    """600 objects within 30 s at 2 objects a second are work for 10 workers, with a fifth to spare 12.5."""
    plan = _ingest(workers=2, backlog=600, rate_per_worker=2.0)
    assert plan.count == 13
    assert plan.reason == "from 2 to 13: 600 waiting objects are work for 10.0 workers within 30 s"


def test_what_arrives_counts_even_where_nothing_waits():
    """12 objects a second are work for 6 workers at 2 a second; 7.5 leave a fifth to spare."""
    assert _ingest(workers=2, backlog=0, arrivals_per_s=12, rate_per_worker=2.0).count == 8


def test_workers_grow_with_age_where_nobody_knows_their_rate_and_not_again_before_they_have_started():
    load = {"workers": 4, "backlog": 100, "oldest_s": 45.0}
    plan = _ingest(**load)
    assert plan.count == 6
    assert plan.reason == "from 4 to 6: the oldest of 100 waiting objects has waited for 45 s, not 30 s"
    assert _ingest(plan.history, now=59, **load).count == 4
    assert _ingest(plan.history, now=60, **load).count == 6


def test_no_more_workers_than_waiting_objects_come_of_age():
    assert _ingest(workers=4, backlog=5, oldest_s=500.0).count == 5


def test_workers_are_taken_away_after_a_quiet_span_and_not_before():
    busy = _ingest(workers=8, backlog=0, arrivals_per_s=10, rate_per_worker=2.0)
    assert busy.count == 8
    history = busy.history
    for now in range(30, 301, 30):
        plan = _ingest(history, now=now, workers=8, backlog=0, arrivals_per_s=2, rate_per_worker=2.0)
        history = plan.history
        assert plan.count == (8 if now < 300 else 2)
    assert plan.reason == "from 8 to 2: 2 have been enough for 300 s"


def test_a_burst_within_the_span_keeps_the_workers():
    history = History()
    for now in range(0, 3001, 30):
        busy = now % 240 == 0
        plan = _ingest(history, now, workers=8, backlog=0, arrivals_per_s=12 if busy else 0, rate_per_worker=2.0)
        history = plan.history
        assert plan.count == 8


def test_the_bound_is_named_where_it_holds():
    goals = IngestGoals(range=Range(min=1, max=4))
    plan = plan_ingest(IngestLoad(workers=2, backlog=600, rate_per_worker=2.0), goals, History(), 0.0)
    assert plan.count == 4
    assert plan.reason.endswith("; 13 are wanted, 1 to 4 allowed")


@given(loads, ranges, histories)
def test_workers_stay_within_their_bounds(load, allowed, history):
    plan = plan_ingest(load, IngestGoals(range=allowed), history, 1_000.0)
    assert allowed.min <= plan.count <= allowed.max


@given(loads, histories, st.integers(0, 10**6))
def test_a_larger_backlog_never_makes_fewer_workers(load, history, more):
    assume(load.backlog + load.arrivals_per_s > 0)
    larger = IngestLoad(**(vars(load) | {"backlog": load.backlog + more}))
    goals = IngestGoals(range=Range(min=1, max=10**9))
    assert plan_ingest(larger, goals, history, 1e3).count >= plan_ingest(load, goals, history, 1e3).count


def test_age_and_backlog_together_ask_for_the_larger_of_both():
    """150 objects within 30 s at 1 a second are work for 5 workers, 6.25 with a fifth to spare; age doubles the 4."""
    assert _ingest(workers=4, backlog=150, oldest_s=90.0, rate_per_worker=1.0).count == 8


@given(
    st.floats(0.01, 40), st.floats(0.5, 5), st.integers(1, 64), st.lists(st.floats(0.9, 1.1), min_size=60, max_size=60)
)
def test_a_steady_load_with_some_noise_never_makes_workers_go_up_again(arrivals, rate, workers, noise):
    """Up once at most, and at once; down after quiet spans, when what came was less than the noise before."""
    history, changes = History(), []
    for step, factor in enumerate(noise):
        load = IngestLoad(workers=workers, backlog=0, arrivals_per_s=arrivals * factor, rate_per_worker=rate)
        plan = plan_ingest(load, GOALS, history, step * 30.0)
        if plan.count != workers:
            changes.append(plan.count - workers)
        workers, history = plan.count, plan.history
    assert all(change < 0 for change in changes[1:])
    assert len(changes) <= 3


@given(st.lists(loads, min_size=1, max_size=50))
def test_history_stays_short_however_long_the_service_runs(found):
    history = History()
    for step in range(500):
        history = plan_ingest(found[step % len(found)], GOALS, history, step * 10.0).history
    assert len(history.demands) <= GOALS.quiet_s / 10


def test_shards_double_until_none_is_too_full():
    """5,000 keys at 1,000 a shard fill five; two doubled twice are eight."""
    plan = plan_shards(ShardLoad(shards=2, rows=5_000), SHARDS, History(), 0.0)
    assert plan.count == 8
    assert plan.reason == "from 2 to 8: 5,000 keys, the fullest shard at 1.0 of the average, fill 5.0 shards"


def test_one_full_shard_is_enough_to_have_more():
    """1,500 keys are 750 for each of two, but the fullest has 1.6 times that: 1,200."""
    assert plan_shards(ShardLoad(shards=2, rows=1_500, largest=1.6), SHARDS, History(), 0.0).count == 4


def test_bytes_count_as_rows_do():
    plan = plan_shards(ShardLoad(shards=1, rows=10, bytes=3 << 20), SHARDS, History(), 0.0)
    assert plan.count == 4
    assert "3 MB of state" in plan.reason


def test_shards_are_put_together_only_when_half_of_them_were_half_full_for_long():
    history = plan_shards(ShardLoad(shards=4, rows=3_000), SHARDS, History(), 0.0).history
    small = ShardLoad(shards=4, rows=1_000)
    early = plan_shards(small, SHARDS, history, 1800.0)
    assert early.count == 4
    late = plan_shards(small, SHARDS, early.history, 3600.0)
    assert (late.count, late.reason) == (2, "from 4 to 2: 2 would have been half full at most for 3600 s")
    assert plan_shards(ShardLoad(shards=4, rows=1_001), SHARDS, early.history, 3600.0).count == 4


@given(shard_loads, ranges, histories)
def test_shards_stay_within_their_bounds(load, allowed, history):
    plan = plan_shards(load, ShardGoals(range=allowed), history, 1e4)
    assert allowed.min <= plan.count <= allowed.max


@given(shard_loads, histories, st.integers(0, 10**7))
def test_more_keys_never_make_fewer_shards(load, history, more):
    larger = ShardLoad(**(vars(load) | {"rows": load.rows + more}))
    goals = ShardGoals(range=Range(min=1, max=10**9))
    assert plan_shards(larger, goals, history, 1e4).count >= plan_shards(load, goals, history, 1e4).count


@given(st.integers(1, 60_000), st.sampled_from([1, 2, 4, 8, 16, 32, 64]))
def test_steady_state_never_makes_shards_go_up_and_down(rows, shards):
    history, course = History(), [shards]
    for step in range(40):
        plan = plan_shards(ShardLoad(shards=course[-1], rows=rows), SHARDS, history, step * 1800.0)
        history = plan.history
        course.append(plan.count)
    assert course in (sorted(course), sorted(course, reverse=True))
    assert course[-1] * SHARDS.max_rows >= rows


def test_bounds_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="there cannot be 0 to 4"):
        Range(min=0, max=4)
    with pytest.raises(ValueError, match="there cannot be 5 to 4"):
        Range(min=5, max=4)
