"""What every summary promises: merged parts equal the whole, byte for byte, whatever the split, order and batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.stats import measures
from guardray.stats.bitmap import Bitmap
from guardray.stats.heavy_hitters import HeavyHitters
from guardray.stats.hyperloglog import HyperLogLog
from guardray.stats.scalars import Count, FirstLast, Latest, Max, Min, Sum
from guardray.stats.summaries import observe, summary_of
from guardray.stats.summary import Summary

KEYS = 4
Observation = tuple[int, int, int]  # row, time, value


@dataclass(frozen=True)
class Kind:
    make: Callable[[], Summary]
    feed: Callable[[Summary, np.ndarray, np.ndarray, np.ndarray], None]


KINDS = {
    "count": Kind(Count, lambda s, rows, times, values: s.update(rows)),
    "sum": Kind(Sum, lambda s, rows, times, values: s.update(rows, values << 47)),
    "min": Kind(Min, lambda s, rows, times, values: s.update(rows, values)),
    "max": Kind(Max, lambda s, rows, times, values: s.update(rows, values)),
    "latest": Kind(Latest, lambda s, rows, times, values: s.update(rows, times, values)),
    "first and last": Kind(FirstLast, lambda s, rows, times, values: s.update(rows, times, times + 1)),
    "bitmap": Kind(lambda: Bitmap(128), lambda s, rows, times, values: s.update(rows, values)),
    "hyperloglog": Kind(lambda: HyperLogLog(4), lambda s, rows, times, values: s.update(rows, values)),
    "heavy hitters": Kind(
        lambda: HeavyHitters(width=4), lambda s, rows, times, values: s.update(rows, values, times + 5)
    ),
}

observations = st.lists(st.tuples(st.integers(0, KEYS - 1), st.integers(-3, 3), st.integers(0, 2**16 - 1)), max_size=30)


every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def summary_with(kind: Kind, *batches: list[Observation]) -> Summary:
    summary = kind.make()
    summary.resize(KEYS)
    for batch in batches:
        rows, times, values = np.array(batch, dtype=np.int64).reshape(-1, 3).T
        kind.feed(summary, rows, times, values)
    return summary


@every_kind
@given(observations=observations, random=st.randoms(use_true_random=False), parts=st.integers(1, 4))
def test_merged_parts_are_byte_equal_to_the_whole(kind: Kind, observations, random, parts: int):
    shares: list[list[list[Observation]]] = [[[]] for _ in range(parts)]
    for observation in random.sample(observations, len(observations)):
        share = random.choice(shares)
        if random.random() < 0.3:
            share.append([])
        share[-1].append(observation)
    merged = summary_with(kind)
    for share in shares:
        merged.merge(np.arange(KEYS), summary_with(kind, *share), np.arange(KEYS))
    assert merged.state.tobytes() == summary_with(kind, observations).state.tobytes()


@every_kind
@given(observations=observations)
def test_rows_may_repeat_when_merging(kind: Kind, observations):
    """All rows of another summary poured into one row: as if all had been seen there."""
    merged = summary_with(kind)
    merged.merge(np.zeros(KEYS, dtype=np.int64), summary_with(kind, observations), np.arange(KEYS))
    whole = summary_with(kind, [(0, time, value) for _, time, value in observations])
    assert merged.state.tobytes() == whole.state.tobytes()


@every_kind
@given(before=observations, after=observations)
def test_a_summary_read_back_from_arrow_goes_on_byte_equal(kind: Kind, before, after):
    running = summary_with(kind, before)
    restored = kind.make().from_arrow(running.to_arrow())
    for summary in (running, restored):
        rows, times, values = np.array(after, dtype=np.int64).reshape(-1, 3).T
        kind.feed(summary, rows, times, values)
    assert restored.state.tobytes() == running.state.tobytes()


@every_kind
@given(observations=observations, rows=st.lists(st.integers(0, KEYS - 1), unique=True))
def test_taken_rows_keep_their_state_and_new_ones_are_empty(kind: Kind, observations, rows):
    summary = summary_with(kind, observations)
    expected = np.concatenate([summary.state[rows], summary_with(kind).state[:2]])
    summary.take(np.array(rows, dtype=np.int64))
    summary.resize(len(rows) + 2)
    assert summary.state.tobytes() == expected.tobytes()


@every_kind
def test_state_of_other_settings_is_refused(kind: Kind):
    other = HyperLogLog(5) if kind is not KINDS["hyperloglog"] else Bitmap(64)
    with pytest.raises(ValueError, match="expected fixed_size_list"):
        kind.make().from_arrow(other.to_arrow())


@every_kind
@pytest.mark.parametrize("row", [-1, KEYS])
def test_a_row_that_is_not_there_is_refused(kind: Kind, row: int):
    with pytest.raises(IndexError, match=str(row)):
        summary_with(kind, [(row, 0, 0)])


EXTREME = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(EXTREME, max_size=20))
def test_a_sum_is_exact_and_reads_as_the_nearest_int64(values: list[int]):
    total = Sum()
    total.resize(1)
    total.update(np.zeros(len(values), dtype=np.int64), np.array(values, dtype=np.int64))
    low, wraps = total.state[0].tolist()
    assert low + (wraps << 64) == sum(values)
    assert total.read(np.array([0])).tolist() == [max(-(2**63), min(2**63 - 1, sum(values)))]


def test_what_has_seen_nothing_reads_as_masked():
    for summary in (Min(), Max(), Latest()):
        summary.resize(1)
        assert summary.read(np.array([0])).mask.all()


@pytest.mark.parametrize("dtype", [np.float64, np.uint64])
def test_values_that_may_not_fit_int64_are_refused(dtype):
    summary = Sum()
    summary.resize(1)
    with pytest.raises(TypeError, match=np.dtype(dtype).name):
        summary.update(np.array([0]), np.ones(1, dtype=dtype))


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (measures.Count(), 3),
        (measures.Sum("bytes"), 30),
        (measures.Min("bytes"), 10),
        (measures.Max("bytes"), 20),
        (measures.Latest("bytes"), 10),
        (measures.Distinct("bytes"), 2),
    ],
)
def test_masked_values_are_passed_over_by_all_measures_but_the_count(measure, expected: int):
    summary = summary_of(measure)
    summary.resize(1)
    values = np.ma.MaskedArray([20, 10, 99], [False, False, True])
    observe(summary, np.zeros(3, dtype=np.int64), np.array([1, 2, 3]), values)
    assert summary.read(np.array([0])).tolist() == [expected]
