"""Archiving, taking back and feedback: what findings show afterwards, and what destinations get."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta

import pytest
from finding_examples import NOW, c2_domain, one_of_each, ssh_brute_force
from sqlalchemy import select

from guardray.errors import QueryRefusedError
from guardray.store.criteria import parse_criteria
from guardray.store.criteria_schema import FINDING_FEEDBACK
from guardray.store.database import Database
from guardray.store.findings import write_findings
from guardray.store.marking import archive, give_feedback, unarchive
from guardray.store.schema import DESTINATIONS, OUTBOX
from guardray.store.search import Scope, find_page, findings_by_id

EVERYBODY = Scope()
LATER = NOW + timedelta(hours=1)
ID = ssh_brute_force().id
ARCHIVED = parse_criteria({"criterion": {"service.archived": {"eq": ["true"]}}})


@pytest.fixture
def connection(store_url):
    with closing(Database(store_url)) as database, database.writing() as opened:
        opened.execute(DESTINATIONS.insert(), {"name": "events", "active": True, "update_every_s": 0, "severity": 0.0})
        write_findings(opened, one_of_each(), NOW)
        yield opened


def service(connection, finding_id=ID):
    (finding,) = findings_by_id(connection, EVERYBODY, [finding_id])
    return finding["service"]


def due_at(connection, finding_id=ID):
    return connection.scalar(select(OUTBOX.c.due_at).where(OUTBOX.c.finding_id == finding_id))


def feedback(connection, said, ids=(ID,), scope=EVERYBODY, comments="noise"):
    return give_feedback(connection, scope, ids, said, comments=comments, given_by="111122223333", now=NOW)


def test_an_archived_finding_says_so_and_is_due_nowhere(connection):
    assert archive(connection, EVERYBODY, [ID], LATER) == 1
    assert service(connection)["archived"] is True
    assert find_page(connection, EVERYBODY, ARCHIVED).ids == (ID,)
    assert due_at(connection) is None
    assert due_at(connection, c2_domain().id) == NOW


def test_a_finding_that_is_taken_back_is_due_again(connection):
    archive(connection, EVERYBODY, [ID], NOW)
    assert unarchive(connection, EVERYBODY, [ID], LATER) == 1
    assert service(connection)["archived"] is False
    assert find_page(connection, EVERYBODY, ARCHIVED).ids == ()
    assert due_at(connection) == LATER


def test_archiving_twice_or_what_is_not_there_changes_nothing(connection):
    assert archive(connection, EVERYBODY, [ID, ID, "0" * 32, "x\0"], NOW) == 1
    assert archive(connection, EVERYBODY, [ID], LATER) == 0
    assert archive(connection, EVERYBODY, [], LATER) == 0
    assert unarchive(connection, EVERYBODY, [c2_domain().id], LATER) == 0


def test_an_archived_finding_that_happens_again_is_current_again(connection):
    archive(connection, EVERYBODY, [ID], NOW)
    write_findings(connection, [ssh_brute_force(seconds=900, digest=7)], LATER)
    assert service(connection)["archived"] is False
    assert find_page(connection, EVERYBODY, ARCHIVED).ids == ()


def test_feedback_shows_in_the_finding_its_comments_do_not(connection):
    assert feedback(connection, "NOT_USEFUL") == 1
    assert service(connection)["userFeedback"] == "NOT_USEFUL"
    assert "noise" not in str(service(connection))
    assert "userFeedback" not in service(connection, c2_domain().id)
    asked = parse_criteria({"criterion": {"service.userFeedback": {"eq": ["NOT_USEFUL"]}}})
    assert find_page(connection, EVERYBODY, asked).ids == (ID,)


def test_the_last_feedback_counts_and_outlives_updates_of_the_finding(connection):
    feedback(connection, "NOT_USEFUL")
    feedback(connection, "USEFUL", comments=None)
    write_findings(connection, [ssh_brute_force(seconds=900, digest=7)], LATER)
    assert service(connection)["userFeedback"] == "USEFUL"
    (row,) = connection.execute(select(FINDING_FEEDBACK)).all()
    assert (row.finding_id, row.feedback, row.comments, row.given_at) == (ID, "USEFUL", None, NOW)


def test_nobody_marks_what_is_not_theirs(connection):
    foreign = Scope(frozenset({"444455556666"}))
    assert archive(connection, foreign, [ID], NOW) == 0
    assert feedback(connection, "USEFUL", scope=foreign) == 0
    assert service(connection)["archived"] is False


def test_50_ids_are_the_most_and_feedback_is_one_of_two_words(connection):
    for refused in (archive, unarchive):
        with pytest.raises(QueryRefusedError, match="findingIds has more than 50 ids"):
            refused(connection, EVERYBODY, ["0"] * 51, NOW)
    with pytest.raises(QueryRefusedError, match="findingIds"):
        feedback(connection, "USEFUL", ids=["0"] * 51)
    with pytest.raises(QueryRefusedError, match="feedback is neither USEFUL nor NOT_USEFUL"):
        feedback(connection, "GREAT")
