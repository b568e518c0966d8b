"""Heavy hitters are found, and their counts are bounded from above."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.stats.heavy_hitters import NO_VALUE, HeavyHitters

ROW = np.array([0])


def sketch_of(values: list[int], **settings: int) -> HeavyHitters:
    sketch = HeavyHitters(**settings)
    sketch.resize(1)
    sketch.update(np.zeros(len(values), dtype=np.int64), np.array(values, dtype=np.int64))
    return sketch


@given(st.lists(st.integers(0, 2**16 - 1), max_size=40), st.integers(0, 2**16 - 1))
def test_a_value_with_more_than_half_of_all_is_first_and_its_count_is_bounded(others: list[int], value: int):
    values = [*others, *[value] * (len(others) + 1)]
    (found, bound), *_ = sketch_of(values).read(ROW, k=3)[0].tolist()
    assert found == value
    assert Counter(values)[value] <= bound <= len(values)


def test_frequent_ports_are_listed_by_frequency_among_much_noise():
    noise = np.random.default_rng(3).integers(1024, 65536, 2000).tolist()
    values = [*noise, *[443] * 4000, *[22] * 3000, *[53] * 2000]
    found = sketch_of(values, width=32).read(ROW, k=3)[0]
    assert found[:, 0].tolist() == [443, 22, 53]
    # A bucket holds 1 of 32 of the noise, 63 rows, and a bit of it leaves about half of them.
    np.testing.assert_allclose(found[:, 1], [4000, 3000, 2000], atol=63)


def test_few_values_are_counted_exactly():
    assert sketch_of([22, 22, 3389]).read(ROW, k=3)[0].tolist() == [[22, 2], [3389, 1], [NO_VALUE, 0]]


def test_values_count_by_their_weight():
    sketch = HeavyHitters()
    sketch.resize(1)
    sketch.update(np.array([0, 0]), np.array([80, 443]), np.array([10, 700]))
    assert sketch.read(ROW, k=2)[0].tolist() == [[443, 700], [80, 10]]


@pytest.mark.parametrize("value", [-1, 256])
def test_values_beyond_the_declared_bits_are_refused(value: int):
    with pytest.raises(ValueError, match="8 bits"):
        sketch_of([value], bits=8)


def test_a_sketch_without_buckets_is_refused():
    with pytest.raises(ValueError, match="0 buckets"):
        HeavyHitters(width=0)
