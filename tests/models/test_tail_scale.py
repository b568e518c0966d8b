"""Scores of any model on one scale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardray.models.tail_scale import TailScale

numbers = st.lists(st.floats(0, 1e6), min_size=1, max_size=200)


@settings(max_examples=100, deadline=None)
@given(numbers, st.lists(st.floats(-10, 1e7), min_size=2, max_size=50))
def test_a_higher_score_never_has_a_lower_surprisal(learned, asked):
    ordered = np.sort(asked)
    surprisals = TailScale().fit(np.array(learned)).surprisal(ordered)
    assert (np.diff(surprisals) >= 0).all()
    assert (surprisals >= 0).all()
    assert np.isfinite(surprisals).all()


@settings(max_examples=100, deadline=None)
@given(numbers)
def test_beyond_all_that_was_seen_higher_is_still_more(learned):
    scale = TailScale().fit(np.array(learned))
    highest = max(learned)
    further = scale.surprisal(np.array([highest, highest * 2 + 1, highest * 4 + 3]))
    assert (np.diff(further) > 0).all()


def test_what_one_in_a_hundred_reaches_has_the_surprisal_of_a_hundredth():
    scale = TailScale().fit(np.array([0.0] * 990 + [1.0] * 10))
    assert scale.surprisal(np.array([0.0, 1.0])) == pytest.approx([0.0, np.log(100)])


@pytest.mark.parametrize(("share", "within"), [(0.5, 0.02), (0.1, 0.02), (0.01, 0.1), (0.001, 0.2)])
def test_an_exponential_tail_is_followed_and_told_a_little_lower_far_out(share, within):
    scale = TailScale().fit(np.random.default_rng(0).exponential(size=20_000))
    found = scale.surprisal(np.array([-np.log(share)]))[0]
    assert (1 - within) * -np.log(share) <= found <= 1.02 * -np.log(share)


def test_a_thousandfold_deviation_tells_more_and_not_a_thousand_times_as_much():
    scale = TailScale().fit(np.random.default_rng(0).exponential(size=1000))
    ten, thousand = scale.surprisal(np.array([10.0, 10_000.0]))
    assert ten < thousand < 5 * ten
