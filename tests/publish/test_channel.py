"""One destination, round by round, on a clock that the test moves and a web server that fails as it is told."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from finding_examples import c2_domain, folded, one_of_each, sighting, ssh_brute_force
from hypothesis import given
from hypothesis import strategies as st
from publish.hook_server import answer, status

from guardray.publish.channel import LEASE, POLL_S, Channel, Round
from guardray.publish.retrying import MOST_S, backoff_s
from guardray.publish.sending import Failure


@pytest.fixture
def channel(hooks, config, outbox, clock, tmp_path):
    """A channel to the web server, and never a lucky jitter: it waits the longest that it may."""
    opened = []

    def of(settings: str = ""):
        (hook,) = config(
            f"name: w, kind: webhook, url: '{hooks.url()}', secret: {{env: HOOK_SECRET}}, update_every: 1h, "
            f"allow_http: true, allow_private_addresses: true{settings}"
        )
        outbox.register([hook.subscription()], clock())
        opened.append(Channel(hook, hook.sender(tmp_path), outbox, clock=clock, uniform=lambda low, high: high))
        return opened[-1]

    yield of
    for one in opened:
        one.close()


@pytest.fixture
def commit(store, clock):
    def of(*findings):
        commit.epoch += 1
        store.commit(findings, epoch=f"epoch {commit.epoch}", now=clock())

    commit = of
    commit.epoch = 0
    return of


def counts(hooks):
    return [json.loads(request.body)["detail"]["service"]["count"] for request in hooks.requests]


def test_a_new_finding_goes_at_once_and_its_changes_as_one_update(hooks, channel, commit, clock):
    way = channel()
    commit(ssh_brute_force())
    assert way.round() == Round(destination="w", sent=1)
    for digest in (2, 3):
        commit(ssh_brute_force(digest=digest))
        assert way.round() == Round(destination="w", wait_s=POLL_S)
    clock.move(hours=1)
    assert way.round().sent == 1
    assert counts(hooks) == [1, 3]


def test_an_idle_round_says_when_the_next_is_worthwhile(channel, commit, clock):
    way = channel()
    commit(ssh_brute_force())
    way.round()
    commit(ssh_brute_force(digest=2))
    clock.move(minutes=59, seconds=59.7)
    assert way.round().wait_s == pytest.approx(0.3)


def test_failures_wait_longer_each_time(hooks, channel, commit, clock):
    hooks.behave = status(503)
    way = channel()
    commit(ssh_brute_force())
    for expected in (2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600):
        done = way.round()
        assert (done.failed, done.error) == (1, "the server answers 503 Service Unavailable")
        assert done.wait_s == min(expected, 60)
        clock.move(seconds=expected - 0.001)
        assert way.round().failed == 0
        clock.move(seconds=0.001)
    hooks.behave = status(204)
    assert way.round() == Round(destination="w", sent=1)


def test_a_server_that_asks_to_be_left_alone_is(hooks, channel, commit, clock, outbox):
    hooks.behave = status(429, Retry_After="120")
    way = channel()
    commit(ssh_brute_force())
    assert way.round().wait_s == 120 + 2
    assert outbox.next_due("w", clock()) == clock() + timedelta(seconds=120 + 2)


def test_nobody_can_ask_for_longer_than_an_hour(hooks, channel, commit):
    hooks.behave = status(429, Retry_After="9999999999999")
    way = channel()
    commit(ssh_brute_force())
    assert way.round().wait_s == 3600 + 2


def test_after_the_last_attempt_it_is_a_dead_letter(hooks, channel, commit, clock, outbox):
    hooks.behave = status(500)
    way = channel(", attempts: 3")
    commit(ssh_brute_force())
    given_up = []
    for _ in range(3):
        given_up.append(way.round().given_up)
        clock.move(hours=1)
    assert given_up == [0, 0, 1]
    (letter,) = outbox.dead("w")
    assert (letter.attempts, letter.last_error) == (3, "the server answers 500 Internal Server Error")
    hooks.behave = status(204)
    assert outbox.replay(clock()) == 1
    assert way.round().sent == 1


def test_what_fails_for_too_long_is_a_dead_letter(hooks, channel, commit, clock):
    hooks.behave = status(500)
    way = channel(", max_age_h: 2")
    commit(ssh_brute_force())
    assert way.round().given_up == 0
    clock.move(hours=1, minutes=59)
    assert way.round().given_up == 0
    clock.move(hours=1)
    assert way.round().given_up == 1


def test_the_age_counts_from_the_first_failure_not_from_the_finding(hooks, channel, commit, clock):
    """A publisher that was not running for days gives nothing up for that."""
    way = channel(", max_age_h: 2")
    commit(ssh_brute_force())
    clock.move(hours=100)
    hooks.behave = status(500)
    assert way.round().given_up == 0


def test_one_bad_delivery_does_not_slow_the_others(hooks, channel, commit, outbox):
    way = channel()
    commit(*one_of_each())
    hooks.behave = lambda handler, number: answer(handler, 500 if number == 2 else 200)
    assert way.round() == Round(
        destination="w", sent=3, failed=1, error="the server answers 500 Internal Server Error", wait_s=0
    )
    assert outbox.status(way._clock())[0].later == 1


def test_stopping_gives_back_what_was_not_tried(hooks, channel, commit, outbox, clock):
    way = channel()
    commit(*one_of_each())
    assert way.round(stopped=lambda: len(hooks.requests) == 2).sent == 2
    assert outbox.next_due("w", clock()) == clock()
    assert way.round().sent == 2


def test_a_slow_round_ends_long_before_its_claim_does(hooks, channel, commit, clock, outbox):
    def slowly(handler, number):
        clock.move(seconds=LEASE.total_seconds() / 8)
        answer(handler, 204)

    hooks.behave = slowly
    way = channel()
    commit(*one_of_each())
    assert way.round().sent == 2
    assert outbox.status(clock())[0].due == 2


def test_an_error_of_ours_is_told_and_tried_again(channel, commit, outbox, clock, monkeypatch):
    way = channel()
    commit(c2_domain())

    def broken(deliveries, now):
        raise ZeroDivisionError("with a secret in it")
        yield

    monkeypatch.setattr(way._sender, "send", broken)
    done = way.round()
    assert (done.failed, done.error) == (1, "failed with ZeroDivisionError, which is an error of guardray")
    monkeypatch.undo()
    clock.move(minutes=1)
    assert outbox.claim("w", limit=1, now=clock(), lease=LEASE)[0].attempts == 1


def test_a_backlog_goes_in_batches_without_pauses(hooks, channel, commit):
    way = channel()
    commit(*folded([sighting("Recon:EC2/Portscan", f"entity {n}", digest=n) for n in range(25)]))
    rounds = [way.round() for _ in range(4)]
    assert [(one.sent, one.wait_s) for one in rounds] == [(10, 0), (10, 0), (5, 0), (0, POLL_S)]


@given(failures=st.integers(1, 10_000), luck=st.floats(0, 1))
def test_the_wait_is_anything_up_to_a_bound_that_doubles(failures, luck):
    waited = backoff_s(failures, lambda low, high: low + luck * (high - low))
    assert 0 <= waited <= min(MOST_S, 2.0 ** min(failures, 20))


def test_failures_that_are_alike_are_noted_as_one(outbox, channel, commit, hooks):
    assert Failure("a") == Failure("a")
    hooks.behave = status(500)
    way = channel()
    commit(*one_of_each())
    way.round()
    due = {row.due_at for row in _rows(outbox)}
    assert len(due) == 1


def _rows(outbox):
    from sqlalchemy import select

    from guardray.store.schema import OUTBOX

    with outbox._database.reading() as connection:
        return connection.execute(select(OUTBOX.c.due_at)).all()
