"""The outbox: each destination gets the latest of every finding, first at once and then not too often."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from tempfile import TemporaryDirectory

import msgspec
import pytest
from alembic import command
from alembic.config import Config
from finding_examples import c2_domain, folded, one_of_each, sighting, ssh_brute_force
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import insert, text

from guardray.findings.finding import Finding
from guardray.store.database import Database
from guardray.store.findings import FindingStore
from guardray.store.outbox import Delivery, Outbox
from guardray.store.outbox_register import Registered, Subscription
from guardray.store.rows import finding_row
from guardray.store.schema import FINDINGS, METADATA, VERSION_TABLE

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
LEASE = timedelta(minutes=5)
SIEM = Subscription(name="siem", update_every=HOUR)
PAGER = Subscription(name="pager", update_every=6 * HOUR, severity=7.0)


@pytest.fixture
def store(store_url):
    with FindingStore.open(store_url) as opened:
        yield opened


@pytest.fixture
def outbox(store, store_url):
    with Outbox.open(store_url) as opened:
        opened.register([SIEM], NOW)
        yield opened


def commit(store, findings, epoch, now=NOW):
    store.commit(findings, epoch=epoch, now=now)


def claim(outbox, now=NOW, destination="siem", limit=100) -> list[Delivery]:
    return outbox.claim(destination, limit=limit, now=now, lease=LEASE)


def send(outbox, now=NOW, destination="siem", every=HOUR) -> list[Delivery]:
    """What is due, sent without trouble."""
    deliveries = claim(outbox, now, destination)
    assert outbox.done(deliveries, now=now, update_every=every) == len(deliveries)
    return deliveries


def count_of(delivery: Delivery) -> int:
    return msgspec.json.decode(delivery.json)["service"]["count"]


def suppressed(finding: Finding) -> Finding:
    return replace(finding, archived=True)


class TestFolding:
    def test_a_new_finding_is_due_at_once(self, store, outbox):
        commit(store, one_of_each(), "a")
        deliveries = send(outbox)
        assert {d.finding_id for d in deliveries} == {finding.id for finding in one_of_each()}
        assert all(d.first for d in deliveries)
        assert send(outbox, NOW + 100 * HOUR) == []

    def test_changes_before_the_first_delivery_go_with_it(self, store, outbox):
        commit(store, [ssh_brute_force()], "a")
        commit(store, [ssh_brute_force(digest=2)], "b", NOW + MINUTE)
        (delivery,) = send(outbox, NOW + MINUTE)
        assert (count_of(delivery), delivery.change, delivery.first) == (2, 2, True)

    def test_later_changes_are_one_update_when_the_quiet_time_is_over(self, store, outbox):
        commit(store, [ssh_brute_force()], "a")
        send(outbox)
        for minute in (1, 2, 59):
            commit(store, [ssh_brute_force(digest=minute + 1)], f"minute {minute}", NOW + minute * MINUTE)
        assert outbox.next_due("siem", NOW) == NOW + HOUR
        assert send(outbox, NOW + HOUR - SECOND) == []
        (update,) = send(outbox, NOW + HOUR)
        assert (count_of(update), update.first) == (4, False)

    def test_a_change_long_after_the_last_delivery_is_due_at_once(self, store, outbox):
        commit(store, [ssh_brute_force()], "a")
        send(outbox)
        commit(store, [ssh_brute_force(digest=2)], "b", NOW + 72 * HOUR)
        assert len(send(outbox, NOW + 72 * HOUR)) == 1

    def test_a_change_while_the_finding_is_on_its_way_is_the_next_update(self, store, outbox):
        commit(store, [ssh_brute_force()], "a")
        on_its_way = claim(outbox)
        commit(store, [ssh_brute_force(digest=2)], "b", NOW + SECOND)
        outbox.done(on_its_way, now=NOW + 2 * SECOND, update_every=HOUR)
        assert send(outbox, NOW + HOUR) == []
        (update,) = send(outbox, NOW + HOUR + 2 * SECOND)
        assert count_of(update) == 2

    def test_a_repeated_epoch_changes_nothing(self, store, outbox):
        commit(store, [ssh_brute_force()], "a")
        send(outbox)
        commit(store, [ssh_brute_force()], "a")
        assert outbox.next_due("siem", NOW) is None

    def test_each_destination_has_its_own_pace_and_floor(self, store, outbox):
        outbox.register([SIEM, PAGER], NOW)
        commit(store, one_of_each(), "a")
        assert len(send(outbox)) == 4
        assert {d.severity for d in send(outbox, destination="pager", every=6 * HOUR)} == {8.0, 9.0}
        commit(store, [c2_domain(digest=2)], "b", NOW + MINUTE)
        assert outbox.next_due("siem", NOW) == NOW + HOUR
        assert outbox.next_due("pager", NOW) == NOW + 6 * HOUR

    def test_findings_of_a_taken_back_epoch_are_not_due(self, store, outbox):
        unwritable = replace(c2_domain(), evidence=(replace(c2_domain().evidence[0], row={"v": object()}),))
        with pytest.raises(TypeError):
            commit(store, [ssh_brute_force(), unwritable], "a")
        assert outbox.next_due("siem", NOW) is None

    def test_more_findings_than_one_statement_takes_are_all_due(self, store, outbox):
        many = folded([sighting("Recon:EC2/Portscan", f"entity {n}", digest=n) for n in range(1201)])
        commit(store, many, "a")
        assert len(claim(outbox, limit=2000)) == 1201


class TestSuppression:
    def test_a_suppressed_finding_is_not_sent(self, store, outbox):
        commit(store, [suppressed(ssh_brute_force())], "a")
        assert outbox.next_due("siem", NOW) is None

    def test_it_is_sent_at_once_when_it_is_suppressed_no_more(self, store, outbox):
        commit(store, [suppressed(ssh_brute_force())], "a")
        commit(store, [ssh_brute_force(digest=2)], "b")
        (delivery,) = send(outbox)
        assert delivery.first

    def test_suppressing_withdraws_what_waits(self, store, outbox):
        commit(store, [ssh_brute_force()], "a")
        commit(store, [suppressed(ssh_brute_force(digest=2))], "b")
        assert send(outbox) == []

    @pytest.mark.parametrize("ends", ["done", "failed", "given up"])
    def test_suppressing_what_is_on_its_way_ends_with_that_attempt(self, store, outbox, ends):
        commit(store, [ssh_brute_force()], "a")
        on_its_way = claim(outbox)
        commit(store, [ssh_brute_force(digest=2)], "b")
        commit(store, [suppressed(ssh_brute_force(digest=3))], "c")
        if ends == "done":
            outbox.done(on_its_way, now=NOW, update_every=HOUR)
        else:
            outbox.failed(on_its_way, error="down", now=NOW, retry_at=NOW if ends == "failed" else None)
        assert outbox.next_due("siem", NOW) is None
        assert outbox.dead() == []


class TestClaims:
    def test_what_is_claimed_is_nobody_elses(self, store, outbox, store_url):
        commit(store, one_of_each(), "a")
        with Outbox.open(store_url) as other:
            mine, theirs = claim(outbox, limit=3), claim(other)
            assert (len(mine), len(theirs)) == (3, 1)
            assert not {d.finding_id for d in mine} & {d.finding_id for d in theirs}

    def test_a_dead_publishers_claim_runs_out(self, store, outbox):
        commit(store, [ssh_brute_force()], "a")
        claim(outbox)
        assert claim(outbox, NOW + LEASE - SECOND) == []
        assert outbox.next_due("siem", NOW + SECOND) == NOW + LEASE
        assert len(claim(outbox, NOW + LEASE)) == 1

    def test_a_claim_that_was_taken_over_notes_nothing(self, store, outbox):
        commit(store, [ssh_brute_force()], "a")
        slow = claim(outbox)
        quick = claim(outbox, NOW + LEASE)
        assert outbox.done(slow, now=NOW + LEASE, update_every=HOUR) == 0
        assert outbox.failed(slow, error="late", now=NOW + LEASE, retry_at=None) == 0
        assert outbox.done(quick, now=NOW + LEASE, update_every=HOUR) == 1

    def test_what_is_given_back_is_due_as_before(self, store, outbox):
        commit(store, [ssh_brute_force()], "a")
        outbox.release(claim(outbox))
        assert [d.attempts for d in claim(outbox)] == [0]

    def test_the_longest_due_are_claimed_first(self, store, outbox):
        commit(store, [c2_domain()], "late", NOW + MINUTE)
        commit(store, [ssh_brute_force()], "early", NOW)
        (first,) = claim(outbox, NOW + MINUTE, limit=1)
        assert first.finding_id == ssh_brute_force().id


class TestFailures:
    def test_a_failure_is_due_again_later_and_counted(self, store, outbox):
        commit(store, [ssh_brute_force()], "a")
        outbox.failed(claim(outbox), error="down", now=NOW, retry_at=NOW + MINUTE)
        assert claim(outbox, NOW + MINUTE - SECOND) == []
        (again,) = claim(outbox, NOW + MINUTE)
        assert (again.attempts, again.failing_since) == (1, NOW)
        outbox.failed([again], error="still down", now=NOW + MINUTE, retry_at=NOW + 3 * MINUTE)
        (status,) = outbox.status(NOW + MINUTE)
        assert (status.failing_since, status.last_error, status.later) == (NOW, "still down", 1)

    def test_what_is_given_up_is_listed_and_can_be_replayed(self, store, outbox):
        commit(store, [ssh_brute_force(), c2_domain()], "a")
        outbox.failed(claim(outbox), error="gone", now=NOW, retry_at=None)
        assert [(letter.type, letter.attempts, letter.last_error) for letter in outbox.dead("siem")] == [
            (finding.type, 1, "gone") for finding in sorted([ssh_brute_force(), c2_domain()], key=lambda f: f.id)
        ]
        assert outbox.dead("pager") == []
        assert outbox.replay(NOW, destination="pager") == 0
        assert outbox.replay(NOW, finding_id=c2_domain().id) == 1
        (replayed,) = send(outbox)
        assert (replayed.finding_id, replayed.attempts) == (c2_domain().id, 0)
        assert len(outbox.dead()) == 1

    def test_a_change_gives_what_was_given_up_a_new_chance(self, store, outbox):
        commit(store, [ssh_brute_force()], "a")
        outbox.failed(claim(outbox), error="gone", now=NOW, retry_at=None)
        commit(store, [ssh_brute_force(digest=2)], "b", NOW + MINUTE)
        assert outbox.dead() == []
        (delivery,) = send(outbox, NOW + MINUTE)
        assert (count_of(delivery), delivery.attempts, delivery.failing_since) == (2, 0, None)

    @pytest.mark.parametrize(("error", "kept"), [("a\0b", "a�b"), ("x" * 100_000, "x" * 500)])
    def test_whatever_a_server_says_can_be_kept(self, store, outbox, error, kept):
        commit(store, [ssh_brute_force()], "a")
        outbox.failed(claim(outbox), error=error, now=NOW, retry_at=None)
        assert outbox.dead()[0].last_error == kept


class TestRegistering:
    def test_without_destinations_nothing_is_kept(self, store, store_url):
        with Outbox.open(store_url) as outbox:
            commit(store, one_of_each(), "a")
            assert outbox.status(NOW) == []

    def test_a_new_destination_is_told_what_it_will_not_get(self, store, outbox):
        commit(store, [*one_of_each()[:3], suppressed(c2_domain())], "a")
        assert outbox.register([SIEM, PAGER], NOW) == Registered(new=("pager",), not_sent={"pager": 1})
        assert outbox.next_due("pager", NOW) is None

    def test_a_backlog_is_sent_once(self, store, outbox):
        commit(store, one_of_each(), "a")
        wanting = replace(PAGER, backlog=True)
        assert outbox.register([SIEM, wanting], NOW) == Registered(new=("pager",))
        assert len(send(outbox, destination="pager")) == 2
        outbox.register([SIEM, wanting], NOW)
        assert outbox.next_due("pager", NOW) is None

    def test_a_dropped_destination_keeps_what_waits_and_gets_nothing_new(self, store, outbox):
        commit(store, [ssh_brute_force()], "a")
        assert outbox.register([PAGER], NOW) == Registered(new=("pager",), dropped={"siem": 1})
        commit(store, [ssh_brute_force(digest=2), c2_domain()], "b")
        (siem,) = [status for status in outbox.status(NOW) if status.name == "siem"]
        assert (siem.active, siem.due) == (False, 1)
        assert outbox.register([SIEM, PAGER], NOW).not_sent == {"siem": 1}

    def test_the_status_counts_each_kind(self, store, outbox):
        commit(store, one_of_each(), "a")
        first, second, third, _ = claim(outbox)
        outbox.done([first], now=NOW, update_every=HOUR)
        outbox.failed([second], error="down", now=NOW, retry_at=NOW + MINUTE)
        outbox.failed([third], error="gone", now=NOW, retry_at=None)
        (status,) = outbox.status(NOW)
        assert (status.sent, status.due, status.later, status.dead) == (1, 1, 1, 1)
        assert (status.oldest_due, status.last_sent) == (NOW, NOW)


NAMES = st.sampled_from(["a", "b", "c"])


class AnyHistory(RuleBasedStateMachine):
    """Whatever happens in whatever order, a destination ends with the latest of every finding, not told too often."""

    @initialize()
    def open(self):
        self.folder = TemporaryDirectory()
        url = f"{self.folder.name}/findings.db"
        self.store, self.outbox = FindingStore.open(url), Outbox.open(url)
        self.outbox.register([SIEM], NOW)
        self.now, self.epochs, self.claimed = NOW, 0, []
        self.sent: dict[str, list[tuple[datetime, str]]] = {}
        self.suppressed: set[str] = set()

    @rule(names=st.sets(NAMES, min_size=1), is_suppressed=st.booleans() | st.just(False))
    def commit(self, names, is_suppressed):
        self.epochs += 1
        findings = folded(
            [sighting("Recon:EC2/Portscan", name, digest=self.epochs) for name in sorted(names)], self.now
        )
        self.suppressed -= {finding.id for finding in findings}
        if is_suppressed:
            findings = [suppressed(finding) for finding in findings]
            self.suppressed |= {finding.id for finding in findings}
        commit(self.store, findings, f"epoch {self.epochs}", self.now)

    @rule(minutes=st.sampled_from([1, 4, 5, 30, 60, 600]))
    def wait(self, minutes):
        self.now += minutes * MINUTE

    @rule(limit=st.integers(1, 4))
    def claim(self, limit):
        held = {d.finding_id for until, d in self.claimed if until > self.now}
        fresh = claim(self.outbox, self.now, limit=limit)
        assert not held & {d.finding_id for d in fresh}
        self.claimed += [(self.now + LEASE, delivery) for delivery in fresh]

    @rule(data=st.data(), outcome=st.sampled_from(["done", "retry", "dead", "release", "die"]))
    def end(self, data, outcome):
        if not self.claimed:
            return
        _, delivery = self.claimed.pop(data.draw(st.integers(0, len(self.claimed) - 1)))
        if outcome == "done":
            self.note_sent(delivery)
        elif outcome == "release":
            self.outbox.release([delivery])
        elif outcome != "die":
            retry_at = self.now + 3 * MINUTE if outcome == "retry" else None
            self.outbox.failed([delivery], error="down", now=self.now, retry_at=retry_at)

    @rule()
    def replay(self):
        self.outbox.replay(self.now)

    def note_sent(self, delivery):
        if self.outbox.done([delivery], now=self.now, update_every=HOUR):
            history = self.sent.setdefault(delivery.finding_id, [])
            history.append((self.now, delivery.json))

    @invariant()
    def nobody_is_told_too_often(self):
        for history in self.sent.values():
            times = [time for time, _ in history]
            assert all(later - earlier >= HOUR - LEASE for earlier, later in pairwise(times))

    def teardown(self):
        try:
            self.drain()
        finally:
            self.store.close()
            self.outbox.close()
            self.folder.cleanup()

    def drain(self):
        self.outbox.replay(self.now)
        for _ in range(3):
            self.now += 10 * HOUR
            for delivery in claim(self.outbox, self.now):
                self.note_sent(delivery)
        assert self.outbox.next_due("siem", self.now) is None
        stored = {finding.id: finding for finding in self.store.findings()}
        for finding_id in stored.keys() - self.suppressed:
            last = msgspec.json.decode(self.sent[finding_id][-1][1])
            assert last["service"]["count"] == stored[finding_id].count


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_a_store_of_before_the_outbox_keeps_its_findings_and_gets_one(store_url):
    """The step from the first schema, on a store that is in use."""
    with closing(Database(store_url)) as database, database.writing() as connection:
        METADATA.drop_all(connection)
        connection.execute(text(f"DROP TABLE {VERSION_TABLE}"))
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", "guardray.store:migrations")
        command.upgrade(config, "0001")
        connection.execute(insert(FINDINGS), [finding_row(finding) for finding in one_of_each()])
    with FindingStore.open(store_url) as store, Outbox.open(store_url) as outbox:
        assert len(store.findings()) == 4
        assert outbox.register([SIEM], NOW).not_sent == {"siem": 4}
        commit(store, [ssh_brute_force("another")], "a")
        assert len(send(outbox)) == 1
