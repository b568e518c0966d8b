"""Curves are what counting by hand gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.tuning.curves import curve, within

scores = st.lists(st.floats(0, 3, allow_nan=False), min_size=1, max_size=30).map(np.array)


def test_a_threshold_costs_the_usual_days_and_finds_the_attacks_that_reach_it():
    found = curve(np.array([0.2, 0.5, 0.9]), np.array([0.5, 1.5]), account_weeks=2.0, attacks_a_week=0.5)
    assert list(found["threshold"]) == [1.5, 1.0, 0.9, 0.5, 0.2]
    assert list(found["false"]) == [0, 0, 0.5, 1.0, 1.5]  # 0, 0, 1, 2 and 3 days in two account-weeks
    assert list(found["recall"]) == [0.5, 0.5, 0.5, 1, 1]
    # Of one that is right in 0.5 * 0.5 a week, and 0.5 that are wrong; of 0.5 that are right, and 1.
    assert list(found["precision"])[:4] == [1, 1, 0.25 / 0.75, 0.5 / 1.5]


def test_within_a_budget_counts_the_lowest_threshold_that_it_pays():
    found = curve(np.array([0.2, 0.5, 0.9]), np.array([0.5, 1.5]), account_weeks=2.0, attacks_a_week=0.5)
    assert within(found, 0.5)["recall"] == 0.5
    assert within(found, 1.0)["recall"] == 1.0


def test_a_budget_that_pays_nothing_finds_nothing():
    found = curve(np.array([2.0]), np.array([1.0]), account_weeks=1.0, attacks_a_week=1.0)
    assert within(found, 0.5)["recall"] == 0.0


@given(scores, scores)
def test_lower_thresholds_never_find_less_nor_cost_less(usual, attacks):
    found = curve(usual, attacks, account_weeks=1.0, attacks_a_week=1.0)
    assert found["threshold"].is_monotonic_decreasing
    assert found["recall"].is_monotonic_increasing
    assert found["false"].is_monotonic_increasing
    assert found["recall"].iloc[-1] == pytest.approx(1.0)
    assert found["precision"].between(0, 1).all()
