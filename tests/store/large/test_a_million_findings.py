"""How fast a store of a million findings answers: `pytest -s tests/store/large`."""

from __future__ import annotations

import statistics
import time
from contextlib import closing

import pytest
from many_findings import ACCOUNTS, NOW, demo_findings, fill
from sqlalchemy import select, text

from guardray.store.criteria import parse_criteria
from guardray.store.database import Database
from guardray.store.index_schema import FINDING_INDEX
from guardray.store.search import Scope, find_page, findings_by_id
from guardray.store.sorting import Sort
from guardray.store.statistics import count_by_group, count_by_severity
from guardray.store.timeline import timeline

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

NUMBER = 1_000_000
TIMES = 5
GROUPS = ("ACCOUNT", "DATE", "FINDING_TYPE", "RESOURCE", "SEVERITY")
EVERYBODY = Scope()
MANY = Scope(frozenset(ACCOUNTS[:10]), "eu-west-1")
ONE = Scope(frozenset(ACCOUNTS[-1:]), "eu-west-1")
CURRENT = {"service.archived": {"eq": ["false"]}}


def ago(days):
    return int(NOW.timestamp() * 1000) - days * 86_400_000


TYPICAL = {
    "all": {},
    "current": CURRENT,
    "severe and current": {"severity": {"gte": 7}, **CURRENT},
    "of a type": {"type": {"eq": ["UnauthorizedAccess:EC2/SSHBruteForce"]}},
    "of a large account": {"accountId": {"eq": [ACCOUNTS[0]]}},
    "of a small account, severe": {"accountId": {"eq": [ACCOUNTS[-1]]}, "severity": {"gte": 7}},
    "of an instance": {"resource.instanceDetails.instanceId": {"eq": ["i-00000000000001000"]}},
    "of the last day": {"updatedAt": {"gte": ago(1)}},
    "of the last week, current": {"updatedAt": {"gte": ago(7)}, **CURRENT},
}
ADVERSARIAL = {
    "updated long ago": {"updatedAt": {"lt": ago(60)}},
    "updated in a week long ago": {"updatedAt": {"gte": ago(67), "lt": ago(60)}},
    "begun in a month long ago, severe": {"service.eventFirstSeen": {"gte": ago(80), "lt": ago(50)}, **CURRENT},
    "with a common value": {"service.action.networkConnectionAction.localPortDetails.port": {"eq": ["22"]}},
    "nothing": {"severity": {"gt": 10}, "service.count": {"gt": 100_000}},
}
COUNTED = ({}, CURRENT, {"updatedAt": {"gte": ago(7)}}, {"updatedAt": {"gte": ago(7)}, **CURRENT})
COUNTED_SELDOM = (
    {"severity": {"gte": 7}},
    {"updatedAt": {"gte": ago(60)}, **CURRENT},
    {"service.count": {"gte": 3}},
)


def milliseconds(ask, *asked, **options):
    """The median of a few, which what else the machine does disturbs least."""
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        ask(*asked, **options)
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


def pages(connection, criteria, orders):
    """By criteria: the time of the first page in each order, of each scope."""
    return {
        name: [
            milliseconds(find_page, connection, scope, asked, sort)
            for scope in (EVERYBODY, MANY, ONE)
            for sort in orders
        ]
        for name, asked in ((name, parse_criteria({"criterion": each})) for name, each in criteria.items())
    }


def groups(connection, criteria):
    """By grouping: the time to count by it what the criteria ask for, of each scope."""
    return {
        group: [
            milliseconds(count_by_group, connection, scope, group, parse_criteria({"criterion": asked}))
            for scope in (EVERYBODY, MANY, ONE)
            for asked in criteria
        ]
        for group in GROUPS
    }


def last_place(connection, pages_read=40):
    after = None
    for _ in range(pages_read):
        after = find_page(connection, MANY, after=after).next_after
    return after


def told(name, taken):
    p95 = statistics.quantiles(taken, n=20)[-1] if len(taken) > 1 else taken[0]
    print(f"{name:40} p50 {statistics.median(taken):7.1f} ms   p95 {p95:7.1f} ms   worst {max(taken):7.1f} ms")
    return p95


def flat(by_name):
    return [each for taken in by_name.values() for each in taken]


def test_pages_findings_and_statistics_are_fast(store_url, tmp_path):
    newest = [Sort(by, descending=True) for by in ("createdAt", "updatedAt", "severity")]
    oldest = [Sort(by, descending=False) for by in ("createdAt", "updatedAt", "severity")]
    with closing(Database(store_url)) as database:
        start = time.perf_counter()
        fill(database, demo_findings(tmp_path / "demo"), NUMBER)
        with database.writing() as connection:
            connection.execute(text("ANALYZE"))
        print(f"\n{store_url.partition(':')[0]}: {NUMBER:,} findings made in {time.perf_counter() - start:.0f} s")
        with database.reading() as connection:
            typical, adversarial = pages(connection, TYPICAL, newest), pages(connection, ADVERSARIAL, newest + oldest)
            for name, taken in (typical | adversarial).items():
                told(name, taken)
            place = last_place(connection)
            deep = milliseconds(find_page, connection, MANY, after=place)
            ids = connection.scalars(select(FINDING_INDEX.c.finding_id).limit(50)).all()
            by_id = milliseconds(findings_by_id, connection, EVERYBODY, ids)
            events = milliseconds(timeline, connection, EVERYBODY, "instance", "i-00000000000001000")
            counts = groups(connection, COUNTED)
            counts["severity, in few words"] = [milliseconds(count_by_severity, connection, EVERYBODY)]
            for name, taken in counts.items():
                told(f"counted by {name}", taken)
            for name, taken in groups(connection, COUNTED_SELDOM).items():
                told(f"seldom counted by {name}", taken)
            told("a page deep in the list", [deep])
            told("50 findings by id", [by_id])
            told("timeline of an instance", [events])
            worst = told("all typical pages", flat(typical))
            told("all adversarial pages", flat(adversarial))
    assert worst < 50
    assert max(deep, by_id, events) < 50
    assert max(flat(counts)) < 300
