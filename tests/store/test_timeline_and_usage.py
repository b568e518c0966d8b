"""Timelines, the reach of credentials and usage, on either database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from finding_examples import ACCOUNT, REGION, one_of_each

from guardray.errors import QueryRefusedError
from guardray.store import api_members
from guardray.store.api_members import ENABLED, INVITED, StoredMember
from guardray.store.database import Database
from guardray.store.findings import write_findings
from guardray.store.reach import Reach
from guardray.store.search import find_page
from guardray.store.timeline import timeline
from guardray.store.usage import KEPT_DAYS, add_usage, usage_of

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
MEMBER, STRANGER, ELSEWHERE = "444455556666", "777788889999", "us-east-1"
INSTANCE = "i-0123456789abcdef0"


@pytest.fixture
def database(store_url):
    database = Database(store_url)
    yield database
    database.close()


@pytest.fixture
def connection(database):
    findings = [
        replace(one, id=f"{number:032x}", account_id=account, region=region)
        for number, (one, account, region) in enumerate(
            (one, account, region)
            for account in (ACCOUNT, MEMBER, STRANGER)
            for region in (REGION, ELSEWHERE)
            for one in one_of_each()
        )
    ]
    with database.writing() as connection:
        write_findings(connection, findings, NOW)
        for account, status in ((MEMBER, ENABLED), (STRANGER, INVITED)):
            values = {"region": REGION, "administrator_id": ACCOUNT, "account_id": account, "email": ""}
            api_members.add(connection, StoredMember(**values, status=status, updated_at=NOW))
        yield connection


@pytest.mark.parametrize(
    ("regions", "expected"),
    [
        (None, {(ACCOUNT, REGION), (ACCOUNT, ELSEWHERE), (MEMBER, REGION)}),
        (frozenset({REGION}), {(ACCOUNT, REGION), (MEMBER, REGION)}),
        (frozenset({ELSEWHERE}), {(ACCOUNT, ELSEWHERE)}),
        (frozenset(), set()),
    ],
)
def test_members_are_in_reach_where_they_are_members_and_the_key_is_good(connection, regions, expected):
    reach = Reach.of(connection, ACCOUNT, regions)
    events, _ = timeline(connection, reach, "instance", INSTANCE)
    assert {(event.account_id, event.region) for event in events} == expected
    assert len(find_page(connection, reach).ids) == 4 * len(expected)


def test_a_member_reaches_itself_alone(connection):
    events, _ = timeline(connection, Reach.of(connection, MEMBER, None), "instance", INSTANCE)
    assert {event.account_id for event in events} == {MEMBER}


def test_a_timeline_of_any_page_size_is_the_same(connection):
    reach = Reach.of(connection, ACCOUNT, None)
    whole, rest = timeline(connection, reach, "instance", INSTANCE)
    assert rest is None
    walked, after = [], None
    while len(walked) < len(whole):
        events, after = timeline(connection, reach, "instance", INSTANCE, after=after, size=2)
        walked += events
    assert (walked, after) == (whole, None)
    assert [event.begin for event in whole] == sorted(event.begin for event in whole)


@pytest.mark.parametrize(
    "place", [[], ["x", "y"], [1, "y"], ["2026-01-01T00:00:00Z", -3], ["2026-01-01T00:00:00Z", "\0"]]
)
def test_a_place_that_is_none_is_refused(connection, place):
    with pytest.raises(QueryRefusedError):
        timeline(connection, Reach.of(connection, ACCOUNT, None), "instance", INSTANCE, after=place)


def test_usage_adds_up_within_thirty_days_and_is_forgotten_after(database):
    today = date(2026, 11, 2)
    row = {"account_id": ACCOUNT, "region": REGION, "source": "dns", "rows": 3_000_000_000}
    with database.writing() as connection:
        for days in (KEPT_DAYS, KEPT_DAYS - 1, 0, 0):
            add_usage(connection, today - timedelta(days=days), [row, {**row, "source": "vpc-flow", "rows": 1}])
        add_usage(connection, today, [])
        found = usage_of(connection, [ACCOUNT, MEMBER], REGION, today)
        assert found == {(ACCOUNT, "dns"): 9_000_000_000, (ACCOUNT, "vpc-flow"): 3}
        assert usage_of(connection, [ACCOUNT], ELSEWHERE, today) == {}
        assert usage_of(connection, [ACCOUNT], REGION, today + timedelta(days=KEPT_DAYS)) == {}
