"""Counts of findings: what the database groups is what counting them one by one gives."""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing

import msgspec
import pytest
from finding_examples import one_of_each
from many_findings import NOW, fill
from sqlalchemy import select

from guardray.errors import QueryRefusedError
from guardray.findings.wire import time_of, to_json
from guardray.store.criteria import matches, parse_criteria
from guardray.store.database import Database
from guardray.store.schema import FINDINGS
from guardray.store.search import Scope
from guardray.store.statistics import Group, count_by_group, count_by_severity

EVERYBODY = Scope()
CURRENT = parse_criteria({"criterion": {"service.archived": {"eq": ["false"]}, "severity": {"gte": 3}}})
OF_DAYS = parse_criteria(
    {"criterion": {"updatedAt": {"gte": int(NOW.timestamp() * 1000) - 40 * 86_400_000}, "severity": {"gte": 3}}}
)
OF_A_COUNT = parse_criteria({"criterion": {"service.count": {"gte": 10}}})


@pytest.fixture
def connection(store_url):
    with closing(Database(store_url)) as database:
        fill(database, [to_json(finding) for finding in one_of_each()], 400)
        with database.reading() as opened:
            yield opened


def rows(connection, criteria=()):
    found = connection.execute(select(FINDINGS)).mappings()
    return [row for row in found if matches(criteria, msgspec.json.decode(row["json"]))]


def key_of(row, group_by):
    match group_by:
        case "ACCOUNT":
            return {"account_id": row["account_id"]}
        case "DATE":
            return {"day": row["updated_at"].date(), "severity": row["severity"]}
        case "FINDING_TYPE":
            return {"finding_type": row["type"]}
        case "RESOURCE":
            resource = {"resource_type": row["resource_type"], "resource_id": row["resource_name"]}
            return {"account_id": row["account_id"]} | resource
        case "SEVERITY":
            return {"severity": row["severity"]}


def counted(found, group_by):
    groups = defaultdict(list)
    for row in found:
        groups[tuple(key_of(row, group_by).items())].append(row["updated_at"])
    return [Group(**dict(key), total=len(times), last_generated_at=max(times)) for key, times in groups.items()]


@pytest.mark.parametrize("criteria", [(), CURRENT, OF_DAYS, OF_A_COUNT])
@pytest.mark.parametrize("group_by", ["ACCOUNT", "DATE", "FINDING_TYPE", "RESOURCE", "SEVERITY"])
def test_groups_are_counted_largest_first_or_smallest(connection, group_by, criteria):
    expected = counted(rows(connection, criteria), group_by)
    most = count_by_group(connection, EVERYBODY, group_by, criteria, most=100)
    assert [group.total for group in most] == sorted((group.total for group in expected), reverse=True)[:100]
    assert set(most) <= set(expected)
    least = count_by_group(connection, EVERYBODY, group_by, criteria, order_by="ASC", most=3)
    assert [group.total for group in least] == sorted(group.total for group in expected)[:3]


def test_severities_are_counted(connection):
    expected = defaultdict(int)
    for row in rows(connection, CURRENT):
        expected[row["severity"]] += 1
    assert count_by_severity(connection, EVERYBODY, CURRENT) == dict(sorted(expected.items()))
    assert list(count_by_severity(connection, EVERYBODY)) == [2.0, 8.0, 9.0]


def test_a_scope_counts_its_own_findings(connection):
    account = rows(connection)[0]["account_id"]
    (group,) = count_by_group(connection, Scope(frozenset({account})), "ACCOUNT")
    assert group.total == sum(row["account_id"] == account for row in rows(connection))
    assert count_by_severity(connection, Scope(frozenset())) == {}


def test_25_groups_are_given_where_nothing_else_is_asked_for(connection):
    assert len(count_by_group(connection, EVERYBODY, "RESOURCE")) == 25


def test_groups_of_a_day_are_of_the_day_in_utc_that_is_in_the_finding(connection):
    groups = count_by_group(connection, EVERYBODY, "DATE", most=100)
    days = {time_of(msgspec.json.decode(row["json"])["updatedAt"]).date() for row in rows(connection)}
    assert {group.day for group in groups} <= days


@pytest.mark.parametrize(
    ("arguments", "parameter"),
    [
        ({"group_by": "COLOUR"}, "groupBy"),
        ({"group_by": "DATE", "most": 0}, "maxResults"),
        ({"group_by": "DATE", "most": 101}, "maxResults"),
        ({"group_by": "DATE", "order_by": "UP"}, "orderBy"),
    ],
)
def test_what_cannot_be_grouped_is_refused(connection, arguments, parameter):
    with pytest.raises(QueryRefusedError) as refusal:
        count_by_group(connection, EVERYBODY, **arguments)
    assert refusal.value.parameter == parameter
