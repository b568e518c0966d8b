"""Signatures that came before, as a client that hurries and as an attacker who saw one."""

from __future__ import annotations

import hashlib
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.access.replay import CALLS_MAX, REPEAT_WITHIN, ReplayGuard
from guardray.errors import AccessRefusedError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
GOOD_FOR = timedelta(minutes=5)


def is_admitted(guard, signature="a", call="1", *, now=NOW, is_change=False, expires=None) -> bool:
    digest = hashlib.sha256(signature.encode()).hexdigest()
    try:
        guard.admit(digest, call, is_change=is_change, expires=expires or NOW + GOOD_FOR, now=now)
    except AccessRefusedError:
        return False
    return True


def test_other_signatures_are_let_in():
    guard = ReplayGuard()
    assert is_admitted(guard, "a")
    assert is_admitted(guard, "b")


def test_a_read_may_come_again_as_another_call_within_moments_only():
    guard = ReplayGuard()
    assert is_admitted(guard, call="1")
    assert is_admitted(guard, call="2", now=NOW + REPEAT_WITHIN)
    assert not is_admitted(guard, call="1")
    assert not is_admitted(guard, call="2")
    assert not is_admitted(guard, call="3", now=NOW + REPEAT_WITHIN * 2)


def test_calls_of_one_signature_are_bounded():
    guard = ReplayGuard()
    assert [is_admitted(guard, call=str(call)) for call in range(CALLS_MAX + 2)] == [True] * CALLS_MAX + [False] * 2


def test_when_it_is_full_nothing_is_let_in_that_it_could_not_tell_again():
    guard = ReplayGuard(capacity=2)
    assert is_admitted(guard, "a")
    assert is_admitted(guard, "b")
    with pytest.raises(AccessRefusedError) as caught:
        guard.admit("c" * 64, "1", is_change=False, expires=NOW + GOOD_FOR, now=NOW)
    assert (caught.value.code, caught.value.retry_after_s) == ("TooManyRequestsException", 60)
    later = NOW + timedelta(minutes=7)
    assert is_admitted(guard, "c", now=later, expires=later + GOOD_FOR)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(-300, 300), st.integers(0, 60)), min_size=1, max_size=60))
def test_no_change_is_let_in_twice_while_it_is_good(steps):
    """Whatever the clocks of clients say: each signature has the time that it was made at, from five minutes ago on."""
    guard, now, signed_at, admitted = ReplayGuard(), NOW, {}, set()
    for number, offset_s, pause_s in steps:
        now += timedelta(seconds=pause_s)
        expires = signed_at.setdefault(number, now + timedelta(seconds=offset_s)) + GOOD_FOR
        if expires >= now:
            assert is_admitted(guard, str(number), now=now, is_change=True, expires=expires) == (number not in admitted)
            admitted.add(number)


def test_what_is_remembered_takes_no_more_room_than_it_says():
    guard = ReplayGuard()
    tracemalloc.start()
    try:
        for number in range(15_000):
            now = NOW + timedelta(seconds=number / 200)
            assert is_admitted(guard, str(number), f"{number:036x}|attempt=1; max=3", now=now, expires=now + GOOD_FOR)
        size = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert size / 15_000 < 110, "a million are said to take some 100 MB"
