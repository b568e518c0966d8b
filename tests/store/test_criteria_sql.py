"""Criteria in SQL choose the findings that the evaluation chooses, on each database, whatever is asked and stored."""

from __future__ import annotations

from contextlib import closing

import msgspec
import pytest
from finding_examples import one_of_each
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from random_criteria import bodies, criteria
from sqlalchemy import insert, select, text, true, update

from guardray.findings.wire import to_json
from guardray.store.criteria import Condition, matches
from guardray.store.criteria.sql import compile_criteria
from guardray.store.database import Database
from guardray.store.index_schema import FINDING_INDEX
from guardray.store.indexing import Change, delete_findings, index_changed, index_new
from guardray.store.rows import finding_row
from guardray.store.schema import FINDINGS


@pytest.fixture
def database(store_url):
    with closing(Database(store_url)) as opened:
        yield opened


def merged(finding, body):
    return finding | {part: finding[part] | body[part] for part in ("resource", "service")}


def write(connection, body, severity, feedback):
    """Each example with these members in its JSON, and its other columns as they are written."""
    delete_findings(connection, true())
    findings, rows = [], []
    for example_finding in one_of_each():
        row = finding_row(example_finding)
        finding = merged(to_json(example_finding), body) | {"severity": severity}
        row |= {"json": msgspec.json.encode(finding).decode(), "severity": severity}
        row["user_feedback"] = feedback
        if feedback is not None:
            finding["service"]["userFeedback"] = feedback
        connection.execute(insert(FINDINGS), row)
        findings.append(finding)
        rows.append(row)
    index_new(connection, list(zip(rows, findings, strict=True)))
    return findings


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=bodies(),
    severity=st.sampled_from([2.0, 8.0, 8.5, 9.0]),
    feedback=st.sampled_from([None, "USEFUL"]),
    several=st.lists(criteria(), min_size=1, max_size=12),
)
@example({"resource": {}, "service": {}}, 8.5, None, [(Condition("severity", "equals", ("8",)),)])
def test_sql_and_evaluation_choose_the_same_findings(database, body, severity, feedback, several):
    with database.writing() as connection:
        findings = write(connection, body, severity, feedback)
        for one in several:
            chosen = set(ids(connection, *one))
            assert chosen == {finding["id"] for finding in findings if matches(one, finding)}, one


def test_what_is_asked_is_never_a_part_of_the_statement(database):
    evil = "x'); DELETE FROM findings; --"
    conditions = [
        Condition(f"service.{evil.replace('.', '')}", "equals", (evil,)),
        Condition("resource.instanceDetails.instanceId", "equals", (evil,)),
        Condition("service.x", "matches", (f"*{evil}*",)),
        Condition("type", "matches", (evil,)),
        Condition("id", "notEquals", (evil,)),
    ]
    with database.writing() as connection:
        findings = write(connection, {"resource": {}, "service": {"x": evil}}, 8.0, None)
        for condition in conditions:
            statement = select(FINDING_INDEX.c.finding_id).where(*compile_criteria(connection, (condition,)))
            assert evil not in str(statement.compile(dialect=connection.dialect))
            expected = {finding["id"] for finding in findings if matches((condition,), finding)}
            assert set(connection.scalars(statement)) == expected
        assert connection.scalar(text("SELECT count(*) FROM findings")) == 4


def ids(connection, *conditions):
    return connection.scalars(select(FINDING_INDEX.c.finding_id).where(*compile_criteria(connection, conditions))).all()


def test_values_follow_a_finding_that_changes(database):
    by_name = Condition("resource.accessKeyDetails.userName", "equals", ("bob",))
    with database.writing() as connection:
        written = write(connection, {"resource": {}, "service": {}}, 8.0, None)
        old = next(finding for finding in written if finding["type"].startswith("Policy"))
        json = msgspec.json.encode(old).replace(b'"alice"', b'"bob"')
        connection.execute(update(FINDINGS).where(FINDINGS.c.id == old["id"]).values(json=json.decode()))
        assert ids(connection, by_name) == []
        (row,) = connection.execute(select(FINDINGS).where(FINDINGS.c.id == old["id"])).mappings()
        index_changed(connection, [Change((row, old), (row, msgspec.json.decode(json)))])
        assert ids(connection, by_name) == [old["id"]]
