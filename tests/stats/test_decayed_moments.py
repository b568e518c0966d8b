"""Decayed moments against the sums that define them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.stats.decayed_moments import DecayedMoments

HALF_LIFE = 4.0
ticks_and_values = st.dictionaries(st.integers(-50, 50), st.integers(-1000, 1000), max_size=20)


def moments_of(*batches: dict[int, int]) -> DecayedMoments:
    moments = DecayedMoments(HALF_LIFE)
    moments.resize(1)
    for batch in batches:
        rows = np.zeros(len(batch), dtype=np.int64)
        moments.update(rows, np.array(list(batch), dtype=np.int64), np.array(list(batch.values()), dtype=np.int64))
    return moments


def read(moments: DecayedMoments) -> np.ndarray:
    return moments.read(np.array([0]))[0]


def expected(ticks: dict[int, int]) -> list[float]:
    """Weights are 2 ** -(age / half-life); the variance is the weighted mean square of distances from the mean."""
    if not ticks:
        return [0.0, 0.0, 0.0]
    values = np.array(list(ticks.values()), dtype=float)
    weights = 2 ** ((np.array(list(ticks)) - max(ticks)) / HALF_LIFE)
    mean = np.average(values, weights=weights)
    return [weights.sum(), mean, np.average((values - mean) ** 2, weights=weights)]


@given(ticks_and_values)
def test_moments_are_those_of_the_weighted_values(ticks: dict[int, int]):
    np.testing.assert_allclose(read(moments_of(ticks)), expected(ticks), rtol=1e-9, atol=1e-6)


@given(ticks_and_values, st.integers(-50, 50), st.randoms(use_true_random=False))
def test_state_is_byte_equal_however_closed_ticks_are_batched(ticks: dict[int, int], cut: int, random):
    shuffled = dict(random.sample(sorted(ticks.items()), len(ticks)))
    early = {tick: value for tick, value in shuffled.items() if tick < cut}
    late = {tick: value for tick, value in shuffled.items() if tick >= cut}
    assert moments_of(early, late).state.tobytes() == moments_of(ticks).state.tobytes()


@given(ticks_and_values, ticks_and_values)
def test_merging_is_commutative_to_the_bit_and_right_up_to_rounding(one: dict[int, int], other: dict[int, int]):
    other = {tick: value for tick, value in other.items() if tick not in one}
    forth, back = moments_of(one), moments_of(other)
    row = np.array([0])
    forth.merge(row, moments_of(other), row)
    back.merge(row, moments_of(one), row)
    assert forth.state.tobytes() == back.state.tobytes()
    np.testing.assert_allclose(read(forth), expected(one | other), rtol=1e-9, atol=1e-6)


@given(ticks_and_values)
def test_state_goes_on_byte_equal_after_being_kept(ticks: dict[int, int]):
    running = moments_of(ticks)
    restored = running.from_arrow(running.to_arrow())
    for moments in (running, restored):
        moments.update(np.array([0]), np.array([60]), np.array([7]))
    assert restored.state.tobytes() == running.state.tobytes()


@pytest.mark.parametrize("tick", [4, 5])
def test_a_tick_that_is_not_after_the_last_one_is_refused(tick: int):
    with pytest.raises(ValueError, match=f"at tick 5 and cannot take tick {tick}"):
        moments_of({5: 1}, {tick: 1})


def test_a_half_life_of_zero_is_refused():
    with pytest.raises(ValueError, match="half-life"):
        DecayedMoments(0)
