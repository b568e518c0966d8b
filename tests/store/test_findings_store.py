"""The findings store: what is committed in parts is what is committed at once, exactly once, all or nothing."""

from __future__ import annotations

import multiprocessing
import os
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from tempfile import TemporaryDirectory

import pytest
from finding_examples import (
    NOW,
    bucket_made_public,
    c2_domain,
    folded,
    one_of_each,
    sighting,
    single_sightings,
    ssh_brute_force,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from guardray.errors import StoreError
from guardray.findings.severity import Severity
from guardray.findings.sighting import Occurrence
from guardray.store.findings import Commit, FindingStore
from guardray.store.query import FindingQuery

LATER = NOW + timedelta(days=1)


@pytest.fixture
def store(store_url):
    with FindingStore.open(store_url) as opened:
        yield opened


def contents(store):
    """All that a store holds, apart from its epochs: findings, and their evidence with its rows."""
    findings = store.findings()
    return [(finding, [(row.time, row.digest, row.row) for row in store.evidence(finding.id)]) for finding in findings]


def test_what_was_committed_is_read_back_most_urgent_first(store):
    assert store.commit(one_of_each(), epoch="a", now=NOW) == Commit(created=4, updated=0)
    assert [finding.severity for finding in store.findings()] == [9.0, 8.0, 2.0, 2.0]
    assert sorted(store.findings(), key=lambda f: f.id) == sorted(one_of_each(), key=lambda f: f.id)


def test_a_second_epoch_adds_to_what_is_stored(store):
    first = replace(ssh_brute_force(seconds=100, digest=1), title="first")
    second = replace(
        ssh_brute_force(seconds=200, digest=2, count=3), title="second", created_at=LATER, updated_at=LATER
    )
    store.commit([first], epoch="day 1", now=NOW)
    assert store.commit([second], epoch="day 2", now=LATER) == Commit(created=0, updated=1)
    (finding,) = store.findings()
    assert (finding.title, finding.count, finding.created_at, finding.updated_at) == ("second", 4, NOW, LATER)
    assert [row.digest for row in store.evidence(finding.id)] == [1, 2]


def test_an_epoch_is_committed_only_once(store):
    store.commit([ssh_brute_force()], epoch="a", now=NOW)
    before = contents(store)
    again = store.commit([ssh_brute_force(count=7), c2_domain()], epoch="a", now=LATER)
    assert again == Commit(created=1, updated=0, repeated=True)
    assert contents(store) == before


def test_an_epoch_without_findings_is_remembered_too(store):
    assert store.commit([], epoch="quiet", now=NOW) == Commit(0, 0)
    assert store.commit([c2_domain()], epoch="quiet", now=NOW).repeated


def test_a_later_part_with_earlier_rows_replaces_the_evidence(store):
    late = folded([sighting("Recon:EC2/Portscan", seconds=second, digest=second) for second in range(10, 17)])
    early = folded([sighting("Recon:EC2/Portscan", seconds=second, digest=second) for second in range(3)])
    store.commit(late, epoch="late", now=NOW)
    store.commit(early, epoch="early", now=NOW)
    assert [row.digest for row in store.evidence(late[0].id)] == [0, 1, 2, 10, 11, 16]


def commit_in_parts(store, sightings, cuts):
    bounds = [0, *sorted(cuts), len(sightings)]
    for part, (start, end) in enumerate(pairwise(bounds)):
        store.commit(folded(sightings[start:end]), epoch=f"part {part}", now=NOW)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), sightings=single_sightings())
def test_any_split_into_epochs_gives_the_same_store(data, sightings):
    cuts = data.draw(st.lists(st.integers(0, len(sightings)), max_size=4))
    with (
        TemporaryDirectory() as folder,
        FindingStore.open(f"{folder}/parts.db") as parts,
        FindingStore.open(f"{folder}/whole.db") as whole,
    ):
        commit_in_parts(parts, data.draw(st.permutations(sightings)), cuts)
        whole.commit(folded(sightings), epoch="all", now=NOW)
        assert contents(parts) == contents(whole)


def test_any_split_gives_the_same_on_either_database(store, tmp_path):
    sightings = [
        sighting("Recon:EC2/Portscan", "abc"[number % 3], seconds=number * 7 % 20, digest=2**64 - 1 - number)
        for number in range(40)
    ]
    commit_in_parts(store, sightings, [5, 6, 30])
    with FindingStore.open(str(tmp_path / "whole.db")) as whole:
        whole.commit(folded(sightings), epoch="all", now=NOW)
        assert contents(store) == contents(whole)


def test_a_failure_in_the_middle_takes_the_whole_epoch_back(store):
    store.commit([ssh_brute_force()], epoch="a", now=NOW)
    before = contents(store)
    unwritable = replace(bucket_made_public(), evidence=(Occurrence(NOW, 1, {"value": object()}),))
    with pytest.raises(TypeError, match="evidence holds a object"):
        store.commit([ssh_brute_force(seconds=900, digest=5), c2_domain(), unwritable], epoch="b", now=NOW)
    assert contents(store) == before
    assert not store.commit([c2_domain()], epoch="b", now=NOW).repeated


def _die_while_committing(url: str) -> None:
    from guardray.store import folding

    written = folding.write_new

    def die_after_writing(connection, findings):
        written(connection, findings)
        os._exit(9)

    folding.write_new = die_after_writing
    FindingStore.open(url).commit(one_of_each(), epoch="b", now=NOW)


def test_a_writer_killed_in_the_middle_leaves_nothing(store_url):
    with FindingStore.open(store_url) as store:
        store.commit([ssh_brute_force(seconds=100)], epoch="a", now=NOW)
        before = contents(store)
        process = multiprocessing.get_context("spawn").Process(target=_die_while_committing, args=(store_url,))
        process.start()
        process.join(60)
        assert process.exitcode == 9
        assert contents(store) == before
        assert not store.commit(one_of_each(), epoch="b", now=NOW).repeated


def test_only_the_newest_fence_may_commit(store):
    old, new = store.acquire_fence(), store.acquire_fence()
    store.commit([ssh_brute_force()], epoch="a", fence=new, now=NOW)
    with pytest.raises(StoreError, match=f"another process has become its writer since \\(fence {new}, ours is {old}"):
        store.commit([c2_domain()], epoch="b", fence=old, now=NOW)
    assert len(store.findings()) == 1


@pytest.mark.parametrize(
    ("query", "severities"),
    [
        (FindingQuery(), [9.0, 8.0, 2.0, 2.0]),
        (FindingQuery(at_least=Severity.HIGH), [9.0, 8.0]),
        (FindingQuery(types=("Backdoor:EC2/C&CActivity.B!DNS",)), [9.0]),
        (FindingQuery(types=()), []),
        (FindingQuery(account_id="999999999999"), []),
        (FindingQuery(region="eu-west-1", limit=1), [9.0]),
        (FindingQuery(since=ssh_brute_force().event_last_seen), [2.0]),
        (FindingQuery(archived=True), [8.0]),
        (FindingQuery(archived=False), [9.0, 2.0, 2.0]),
    ],
    ids=str,
)
def test_a_query_reads_what_it_asks_for(store, query, severities):
    findings = [replace(finding, archived=finding.severity == 8.0) for finding in one_of_each()]
    store.commit(findings, epoch="a", now=NOW)
    assert [finding.severity for finding in store.findings(query)] == severities


def test_hostile_text_is_stored(store):
    evil = replace(c2_domain(), region="eu\0west", title="\0'; DROP TABLE findings; -- \U0001f600")
    store.commit([evil], epoch="a\0b", now=NOW)
    assert store.findings() == [evil]


def test_evidence_rows_keep_their_values(store):
    row = {"time": NOW, "ip": "10.0.0.1", "answers": ["a", None], "ratio": 0.5, "facts": {"is_new": True}}
    finding = replace(c2_domain(), evidence=(Occurrence(NOW, 2**64 - 1, row),))
    store.commit([finding], epoch="a", now=NOW)
    (occurrence,) = store.evidence(finding.id)
    assert (occurrence.time, occurrence.digest) == (NOW, 2**64 - 1)
    assert occurrence.row == row | {"time": "2024-05-01T12:06:00Z"}
    assert store.evidence("f" * 32) == ()


def _commit_one(url: str, number: int) -> None:
    with FindingStore.open(url) as store:
        store.commit([ssh_brute_force(digest=number)], epoch=f"process {number}", now=NOW)


def test_processes_that_open_and_write_at_once_all_succeed(store_url):
    """None of them finds a half-made schema, and no count is lost."""
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_commit_one, args=(store_url, number)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    with FindingStore.open(store_url) as store:
        assert [finding.count for finding in store.findings()] == [4]


def test_thousands_of_findings_take_few_statements(tmp_path):
    findings = [ssh_brute_force(f"i-{number}") for number in range(3000)]
    statements = []
    with FindingStore.open(str(tmp_path / "bulk.db")) as store, counted(statements):
        assert store.commit(findings, epoch="a", now=NOW) == Commit(3000, 0)
        assert store.commit(findings, epoch="b", now=NOW) == Commit(0, 3000)
        assert {finding.count for finding in store.findings()} == {2}
    # Per commit: two look-ups for each 500 ids, and a handful that do not grow.
    assert len(statements) < 2 * (2 * 6 + 18)


@contextmanager
def counted(statements):
    def note(connection, cursor, statement, parameters, context, executemany):
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield
    event.remove(Engine, "before_cursor_execute", note)
