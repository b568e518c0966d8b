"""How fast a store of a million findings answers: `pytest -s tests/store/large`."""

from __future__ import annotations

import statistics
import time
from contextlib import closing

import pytest
from many_findings import ACCOUNTS, demo_findings, fill
from sqlalchemy import select, text

from guardray.store.criteria import parse_criteria
from guardray.store.database import Database
from guardray.store.schema import FINDINGS
from guardray.store.search import Scope, find_page, findings_by_id
from guardray.store.sorting import Sort
from guardray.store.statistics import count_by_group, count_by_severity

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

NUMBER = 1_000_000
TYPICAL = [
    {},
    {"severity": {"gte": 7}, "service.archived": {"eq": ["false"]}},
    {"type": {"eq": ["UnauthorizedAccess:EC2/SSHBruteForce"]}},
    {"accountId": {"eq": [ACCOUNTS[0]]}},
    {"accountId": {"eq": [ACCOUNTS[-1]]}, "severity": {"gte": 7}},
    {"resource.instanceDetails.instanceId": {"eq": ["i-00000000000001000"]}},
]
SCOPES = [Scope(), Scope(frozenset(ACCOUNTS[:10]), "eu-west-1"), Scope(frozenset(ACCOUNTS[-1:]), "eu-west-1")]


def milliseconds(ask, *asked) -> float:
    """The median of five."""
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        ask(*asked)
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


def test_pages_findings_and_statistics_are_fast(store_url, tmp_path):
    with closing(Database(store_url)) as database:
        fill(database, demo_findings(tmp_path / "demo"), NUMBER)
        with database.writing() as connection:
            connection.execute(text("ANALYZE"))
        with database.reading() as connection:
            pages = [
                milliseconds(find_page, connection, scope, parse_criteria({"criterion": each}), Sort(by))
                for scope in SCOPES
                for each in TYPICAL
                for by in ("createdAt", "updatedAt", "severity")
            ]
            ids = connection.scalars(select(FINDINGS.c.id).limit(50)).all()
            by_id = milliseconds(findings_by_id, connection, SCOPES[0], ids)
            counts = [milliseconds(count_by_severity, connection, SCOPES[0])] + [
                milliseconds(count_by_group, connection, SCOPES[0], group)
                for group in ("ACCOUNT", "FINDING_TYPE", "SEVERITY")
            ]
    worst = statistics.quantiles(pages, n=20)[-1]
    figures = f"median {statistics.median(pages):.1f} ms, p95 {worst:.1f} ms"
    print(f"\npages: {figures}; 50 findings {by_id:.1f} ms; counts {counts}")
    assert worst < 50
    assert by_id < 50
    assert max(counts) < 300
