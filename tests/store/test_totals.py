"""Totals are what counting all findings again gives, whatever was done to these."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta

from finding_examples import NOW, one_of_each
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from many_findings import RECOUNTED, TOTALS
from sqlalchemy import true

from guardray.store.database import Database
from guardray.store.findings import write_findings
from guardray.store.indexing import delete_findings
from guardray.store.marking import archive, unarchive
from guardray.store.schema import FINDINGS
from guardray.store.search import Scope

EXAMPLES = one_of_each()
IDS = [f"{number:032x}" for number in range(6)]

writes = st.builds(
    lambda base, id_, region, severity, hours: replace(
        base, id=id_, region=region, severity=severity, updated_at=base.updated_at + timedelta(hours=hours)
    ),
    st.sampled_from(EXAMPLES),
    st.sampled_from(IDS),
    st.sampled_from(["eu-west-1", "us-east-1"]),
    st.sampled_from([2.0, 8.0]),
    st.integers(-30, 30),
)
steps = st.lists(
    st.tuples(st.just("write"), st.lists(writes, max_size=4))
    | st.tuples(st.sampled_from(["archive", "unarchive", "delete"]), st.lists(st.sampled_from(IDS), max_size=3)),
    max_size=8,
)


def apply(connection, step):
    match step:
        case "write", findings:
            write_findings(connection, findings, NOW)
        case "archive", ids:
            archive(connection, Scope(), ids, NOW)
        case "unarchive", ids:
            unarchive(connection, Scope(), ids, NOW)
        case "delete", ids:
            delete_findings(connection, FINDINGS.c.id.in_(ids))


def rows(connection, query):
    return sorted(tuple(row) for row in connection.exec_driver_sql(query))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_totals_are_those_of_the_findings_that_there_are(store_url, several):
    with closing(Database(store_url)) as database, database.writing() as connection:
        delete_findings(connection, true())
        for step in several:
            apply(connection, step)
            for table in TOTALS:
                assert rows(connection, f"SELECT * FROM {table.name}") == rows(connection, RECOUNTED[table.name]), step
