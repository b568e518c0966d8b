"""Rates of keys, as buckets of tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.access.rate import Rate, RateLimiter
from guardray.errors import AccessRefusedError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def is_taken(limiter, at_s: float = 0, key: str = "a") -> bool:
    try:
        limiter.take(key, NOW + timedelta(seconds=at_s))
    except AccessRefusedError:
        return False
    return True


def test_a_rested_key_has_its_burst_and_then_its_rate():
    limiter = RateLimiter(Rate(per_s=2, burst=3))
    assert [is_taken(limiter, at) for at in (0, 0, 0, 0, 0.5, 0.5, 1)] == [True, True, True, False, True, False, True]


def test_rest_gives_no_more_than_the_burst():
    limiter = RateLimiter(Rate(per_s=2, burst=3))
    assert [is_taken(limiter, at) for at in (0, 3600, 3600, 3600, 3600)] == [True, True, True, True, False]


def test_a_clock_that_is_set_back_neither_gives_nor_locks():
    limiter = RateLimiter(Rate(per_s=1, burst=1))
    assert is_taken(limiter, 0)
    assert not is_taken(limiter, -3600)
    assert is_taken(limiter, -3599)


@given(st.lists(st.floats(0, 0.5), max_size=200), st.floats(0.5, 50), st.integers(1, 20))
def test_nobody_gets_more_than_burst_and_rate_allow(pauses, per_s, burst):
    limiter, at_s, taken = RateLimiter(Rate(per_s=per_s, burst=burst)), 0.0, 0
    for pause in pauses:
        at_s += pause
        taken += is_taken(limiter, at_s)
    assert taken <= burst + at_s * per_s + 1e-3 * (1 + len(pauses))


@pytest.mark.parametrize(("per_s", "seconds"), [(100, 1), (1, 1), (0.25, 4)])
def test_the_wait_is_told_in_whole_seconds(per_s, seconds):
    limiter = RateLimiter(Rate(per_s=per_s, burst=1))
    assert is_taken(limiter)
    with pytest.raises(AccessRefusedError) as caught:
        limiter.take("a", NOW)
    assert caught.value.retry_after_s == seconds
