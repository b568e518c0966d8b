"""The values that an index finds: those of findings as they are now, also of findings that an older program wrote."""

from __future__ import annotations

from contextlib import closing

import msgspec
from alembic import command
from alembic.config import Config
from finding_examples import NOW, one_of_each, ssh_brute_force
from many_findings import TOTALS
from sqlalchemy import NullPool, create_engine, func, insert, select, true

from guardray.findings.wire import to_json
from guardray.store.criteria.attributes import INDEXED
from guardray.store.criteria.evaluation import values_at
from guardray.store.criteria.tokens import tokens_of
from guardray.store.database import Database
from guardray.store.findings import write_findings
from guardray.store.index_schema import FINDING_INDEX, FINDING_TERMS, FINDING_VALUES
from guardray.store.indexing import delete_findings
from guardray.store.rows import finding_row
from guardray.store.schema import FINDINGS


def stored(connection):
    """Finding and term of all values."""
    query = (
        select(FINDING_INDEX.c.finding_id, FINDING_TERMS.c.term)
        .join(FINDING_VALUES, FINDING_VALUES.c.finding == FINDING_INDEX.c.number)
        .join(FINDING_TERMS, FINDING_TERMS.c.number == FINDING_VALUES.c.term)
    )
    return {tuple(row) for row in connection.execute(query)}


def expected(connection):
    findings = [msgspec.json.decode(text) for text in connection.scalars(select(FINDINGS.c.json))]
    return {(finding["id"], token) for finding in findings for token in tokens_of(finding)}


def test_values_are_found_where_criteria_look_for_them():
    """In lists and lists of objects, and not in what only looks like the path."""
    finding = {
        "resource": {
            "accessKeyDetails": "not an object",
            "instanceDetails": {
                "instanceId": ["i-1", None, {"a": 1}, "i\0"],
                "tags": [{"key": "a", "value": True}, "odd", {"key": 7.5}, [{"key": "too deep"}]],
            },
        },
        "service": {"additionalInfo": [{"threatListName": "x"}]},
    }
    asked = {(number, str(value)) for name, number in INDEXED.items() for value in values_at(finding, name)}
    assert asked == {(10, "i-1"), (10, "i\ufffd"), (13, "a"), (13, "7.5"), (14, "True"), (80, "x")}
    assert tokens_of(finding) == {"10si-1", "10si\ufffd", "13sa", "13n7.5", "14b1", "80sx"}


def test_values_are_those_of_the_findings_as_they_are(store_url):
    with closing(Database(store_url)) as database, database.writing() as connection:
        write_findings(connection, one_of_each(), NOW)
        first = stored(connection)
        assert first == expected(connection)
        write_findings(connection, [ssh_brute_force(seconds=900, digest=7)], NOW)
        assert stored(connection) == first
        delete_findings(connection, true())
        for table in (FINDING_INDEX, FINDING_VALUES, *TOTALS):
            assert connection.scalar(select(func.count()).select_from(table)) == 0


def upgrade_to(url: str, revision: str, then=None):
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", "guardray.store:migrations")
        command.upgrade(config, revision)
        if then is not None:
            then(connection)


def test_findings_of_an_older_store_get_theirs_when_it_is_opened(store_url):
    rows = [finding_row(finding) for finding in one_of_each()]
    upgrade_to(store_url, "0005", lambda connection: connection.execute(insert(FINDINGS), rows))
    with closing(Database(store_url)) as database, database.reading() as connection:
        assert stored(connection) == {(one.id, token) for one in one_of_each() for token in tokens_of(to_json(one))}
