"""Thresholds for a number of findings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardray.models.extremes import tail_of, threshold, without_outliers


def found_a_week(draw, days: int, a_day: int, tries: int, budget: float) -> float:
    """Mean findings a week on days to come, of thresholds that were drawn on days before."""
    found = []
    for seed in range(tries):
        rng = np.random.default_rng(seed)
        drawn = threshold(draw(rng, days * a_day), days, budget / 7)
        found.append((draw(rng, 100_000) > drawn).mean() * a_day * 7)
    return float(np.mean(found))


DRAWS = {
    "exponential": lambda rng, many: rng.exponential(size=many),
    "heavier": lambda rng, many: (rng.random(many) ** -0.2 - 1) / 0.2,
    "normal": lambda rng, many: np.abs(rng.normal(size=many)),
}


@pytest.mark.parametrize("tail", DRAWS)
@pytest.mark.parametrize(("days", "a_day"), [(7, 3), (14, 3), (14, 10), (28, 10), (90, 30)])
def test_the_budget_is_met_on_days_to_come(tail, days, a_day):
    """From a week of three principals on: on average no more than a third over, and not silent either."""
    assert 0.4 < found_a_week(DRAWS[tail], days, a_day, 100, 1.0) < 1.34


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 3.0), st.floats(0.1, 3.0), st.integers(0, 1000))
def test_a_smaller_budget_never_has_a_lower_threshold(one, other, seed):
    peaks = np.random.default_rng(seed).exponential(size=200)
    less, more = sorted((one, other))
    assert threshold(peaks, 28, less / 7) >= threshold(peaks, 28, more / 7)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.floats(0.05, 0.9))
def test_a_tail_and_its_inverse_agree(seed, share):
    tail = tail_of(np.random.default_rng(seed).exponential(size=100), 10)
    rate = tail.rate * share
    assert tail.above(tail.number(rate)) == pytest.approx(rate)


def test_an_attack_that_nobody_knows_of_hardly_moves_the_threshold():
    peaks = np.random.default_rng(0).exponential(size=84)
    with_attack = np.append(peaks, 200.0)
    assert threshold(with_attack, 28, 1 / 7) == pytest.approx(threshold(peaks, 28, 1 / 7), rel=0.05)


def test_usual_peaks_are_no_outliers():
    left = [200 - len(without_outliers(np.random.default_rng(seed).exponential(size=200), 28)) for seed in range(50)]
    assert np.mean(left) < 0.1


@pytest.mark.parametrize("peaks", [[], [3.0]])
def test_too_few_peaks_have_no_threshold(peaks):
    assert threshold(np.array(peaks), 28, 1 / 7) is None


def test_peaks_that_are_all_one_have_a_threshold_just_above():
    drawn = threshold(np.full(40, 2.0), 28, 1 / 7)
    assert 2.0 <= drawn < 2.1
