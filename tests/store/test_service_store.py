"""The service's part of the store: the log of epochs, the register of checkpoints, and who runs the service."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from finding_examples import NOW, one_of_each
from sqlalchemy import text

from guardray.errors import FencedError, StoreError
from guardray.store.checkpoint_register import RegisteredCheckpoint
from guardray.store.epochs import EpochCommit
from guardray.store.findings import FindingStore, write_findings
from guardray.store.service import ServiceStore

LASTS = timedelta(seconds=30)
CHECKPOINT = RegisteredCheckpoint(
    number=1, epoch=1, fence=1, folder="00000001-00000001", digest="ab", bytes=10, created_at=NOW
)


@pytest.fixture
def store(store_url):
    with ServiceStore.open(store_url) as opened:
        yield opened


@pytest.fixture
def fence(store):
    return store.lease.acquire("one", NOW, LASTS)


def nothing(_):
    return 0, 0


def commit(store, fence, number, content=None, fold=nothing):
    return store.epochs.commit(number, content or {"inputs": [number]}, fence=fence, now=NOW, fold=fold)


class TestEpochs:
    def test_an_epoch_and_its_findings_are_there_together(self, store, fence, store_url):
        done = commit(store, fence, 1, fold=lambda connection: write_findings(connection, one_of_each(), NOW))
        assert done == EpochCommit(created=4, updated=0)
        with FindingStore.open(store_url) as findings:
            assert len(findings.findings()) == 4
        (epoch,) = store.epochs.after(0)
        assert (epoch.number, epoch.content, epoch.created, epoch.committed_at) == (1, {"inputs": [1]}, 4, NOW)

    def test_neither_is_there_when_the_findings_cannot_be_written(self, store, fence, store_url):
        def fail(connection):
            write_findings(connection, one_of_each(), NOW)
            raise StoreError("no room")

        with pytest.raises(StoreError, match="no room"):
            commit(store, fence, 1, fold=fail)
        assert store.epochs.last() == 0
        with FindingStore.open(store_url) as findings:
            assert findings.findings() == []

    def test_an_epoch_that_is_committed_again_changes_nothing(self, store, fence):
        commit(store, fence, 1, {"a": 1, "b": 2}, fold=lambda _: (3, 1))
        again = commit(store, fence, 1, {"b": 2, "a": 1}, fold=lambda _: pytest.fail("the findings are there already"))
        assert again == EpochCommit(3, 1, repeated=True)

    def test_an_epoch_of_other_content_is_refused(self, store, fence):
        commit(store, fence, 1)
        with pytest.raises(StoreError, match="epoch 1 was committed with another content"):
            commit(store, fence, 1, {"inputs": [7]})

    def test_epochs_have_no_gap(self, store, fence):
        commit(store, fence, 1)
        with pytest.raises(StoreError, match="epoch 3 cannot follow epoch 1"):
            commit(store, fence, 3)

    def test_a_writer_that_was_cut_off_commits_nothing(self, store, fence):
        store.lease.acquire("two", NOW, LASTS, take_over=True)
        with pytest.raises(FencedError, match="another process has become its writer since"):
            commit(store, fence, 1)
        assert store.epochs.last() == 0

    def test_those_after_a_checkpoint_come_in_their_order(self, store, fence):
        for number in (1, 2, 3):
            commit(store, fence, number)
        assert [epoch.number for epoch in store.epochs.after(1)] == [2, 3]
        assert store.epochs.after(3) == []

    def test_pruned_epochs_are_told_of_when_they_are_asked_for(self, store, fence):
        for number in (1, 2, 3):
            commit(store, fence, number)
        assert store.epochs.prune(2, fence=fence) == 2
        assert [epoch.number for epoch in store.epochs.after(2)] == [3]
        with pytest.raises(StoreError, match="epochs 1 to 2 are not kept any more"):
            store.epochs.after(0)

    def test_the_newest_epoch_stays_so_that_the_next_gets_its_number(self, store, fence):
        commit(store, fence, 1)
        assert store.epochs.prune(1, fence=fence) == 0
        assert store.epochs.last() == 1


class TestRegister:
    def test_what_is_registered_is_read_back_newest_first(self, store, fence):
        commit(store, fence, 1)
        later = replace(CHECKPOINT, number=4, folder="x")
        for checkpoint in (CHECKPOINT, later):
            store.checkpoints.register(checkpoint)
        assert store.checkpoints.all() == [later, CHECKPOINT]

    def test_a_writer_that_was_cut_off_registers_nothing(self, store, fence):
        commit(store, fence, 1)
        store.lease.acquire("two", NOW, LASTS, take_over=True)
        with pytest.raises(FencedError, match="another process"):
            store.checkpoints.register(CHECKPOINT)
        assert store.checkpoints.all() == []

    def test_a_number_is_used_once(self, store, fence):
        commit(store, fence, 1)
        store.checkpoints.register(CHECKPOINT)
        with pytest.raises(StoreError, match="checkpoint 1 cannot follow checkpoint 1"):
            store.checkpoints.register(CHECKPOINT)

    def test_state_of_an_epoch_that_is_not_committed_does_not_count(self, store, fence):
        with pytest.raises(StoreError, match="of epoch 1, not committed yet"):
            store.checkpoints.register(CHECKPOINT)

    def test_a_damaged_one_is_listed_and_not_sound(self, store, fence):
        commit(store, fence, 1)
        store.checkpoints.register(CHECKPOINT)
        store.checkpoints.mark_damaged(1, "a file is missing", fence=fence)
        assert store.checkpoints.all() == [replace(CHECKPOINT, damage="a file is missing")]
        assert store.checkpoints.sound() == []


class TestLease:
    def test_a_second_service_is_refused_while_one_runs(self, store, fence):
        with pytest.raises(StoreError, match="one runs the service on it"):
            store.lease.acquire("two", NOW + LASTS / 2, LASTS)
        assert store.lease.holder(NOW).name == "one"

    def test_it_can_be_had_when_nothing_was_heard_for_its_time(self, store, fence):
        assert store.lease.holder(NOW + LASTS) is None
        assert store.lease.acquire("two", NOW + LASTS, LASTS) == fence + 1

    def test_a_heartbeat_prolongs_it(self, store, fence):
        store.lease.renew(fence, NOW + LASTS / 2, LASTS)
        holder = store.lease.holder(NOW + LASTS)
        assert (holder.since, holder.heard_at, holder.until) == (NOW, NOW + LASTS / 2, NOW + LASTS * 1.5)

    def test_who_was_taken_over_from_is_told_by_the_next_heartbeat(self, store, fence):
        store.lease.acquire("two", NOW, LASTS, take_over=True)
        with pytest.raises(FencedError, match="another process"):
            store.lease.renew(fence, NOW, LASTS)

    def test_it_ends_with_the_service(self, store, fence):
        store.lease.release(fence)
        assert store.lease.holder(NOW) is None

    def test_who_was_taken_over_from_does_not_end_it(self, store, fence):
        store.lease.acquire("two", NOW, LASTS, take_over=True)
        store.lease.release(fence)
        assert store.lease.holder(NOW).name == "two"


class TestReset:
    def test_it_is_refused_while_a_service_runs(self, store, fence):
        with pytest.raises(StoreError, match="one runs the service on it"):
            store.reset(NOW)

    def test_it_takes_epochs_and_checkpoints_and_leaves_findings(self, store, fence, store_url):
        commit(store, fence, 1, fold=lambda connection: write_findings(connection, one_of_each(), NOW))
        store.checkpoints.register(CHECKPOINT)
        done = store.reset(NOW + LASTS)
        assert (done.epochs, done.checkpoints) == (1, 1)
        assert (store.epochs.last(), store.checkpoints.all()) == (0, [])
        with FindingStore.open(store_url) as findings:
            assert len(findings.findings()) == 4

    def test_a_service_that_only_seemed_gone_is_shut_out(self, store, fence):
        store.reset(NOW + LASTS)
        with pytest.raises(FencedError, match="another process"):
            commit(store, fence, 1)


def test_what_the_service_commits_outlives_a_power_cut(tmp_path):
    with ServiceStore.open(str(tmp_path / "findings.db")) as store, store._database.reading() as connection:
        assert connection.scalar(text("PRAGMA synchronous")) == 2  # FULL
