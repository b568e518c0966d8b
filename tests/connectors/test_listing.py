"""Objects found by listing, against a real server."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.connectors.listing import ListingConfig, ListingSource
from guardray.connectors.seen import SeenObjects, digest_of
from guardray.connectors.series import Cadence
from guardray.connectors.source import Failure
from guardray.errors import SnapshotError, SourceError
from guardray.sources.aws_keys import KeyFilter

ACCOUNTS = ("111122223333", "444455556666")
REGIONS = ("eu-west-1", "us-east-1")
FOLDER = "AWSLogs/{account}/CloudTrail/{region}/{time:%Y/%m/%d}/"
TRAIL = FOLDER + "{account}_CloudTrail_{region}_{time:%Y%m%dT%H%MZ}_{name}.json.gz"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def key(name: str = "x", *, time: datetime = NOON, account: str = ACCOUNTS[0], region: str = REGIONS[0]) -> str:
    return TRAIL.format(account=account, region=region, time=time, name=name)


class BucketInUse:
    """A bucket of a test, and sources that list it."""

    def __init__(self, s3: Any, name: str, endpoint: str, clock: Any) -> None:
        self.s3, self.name, self.endpoint, self.clock = s3, name, endpoint, clock
        self.opened: list[ListingSource] = []

    def put(self, *keys: str, body: bytes = b"x") -> None:
        for key_ in keys:
            self.s3.put_object(Bucket=self.name, Key=key_, Body=body)

    def open(self, **options: Any) -> ListingSource:
        options = {"bucket": self.name, "endpoint": self.endpoint} | options
        self.opened.append(ListingSource(ListingConfig(**options), self.clock))
        return self.opened[-1]

    def keys(self, arrivals: list[Any]) -> list[str]:
        return [arrival.object.url.removeprefix(f"s3://{self.name}/") for arrival in arrivals]


@pytest.fixture
def logs(client: Callable[..., Any], bucket: str, aws: str, clock: Any) -> Any:
    clock.now = NOON
    in_use = BucketInUse(client("s3"), bucket, aws, clock)
    yield in_use
    for source in in_use.opened:
        source.close()


def finish(source: ListingSource, arrivals: list[Any]) -> None:
    source.acknowledge([arrival.receipt for arrival in arrivals])


def test_all_logs_of_all_accounts_and_regions_arrive_once(logs):
    keys = [key(account=account, region=region) for account in ACCOUNTS for region in REGIONS]
    logs.put(*keys, key().replace("CloudTrail", "CloudTrail-Digest"), "AWSLogs/111122223333/CloudTrail/", "notes.json")
    source = logs.open()
    arrivals = source.poll(100)
    assert sorted(logs.keys(arrivals)) == sorted([*keys, "notes.json"])
    trail = next(arrival.object for arrival in arrivals if arrival.object.region == "us-east-1")
    assert (trail.account_id, trail.key_time, trail.size) == (ACCOUNTS[0], NOON, 1)
    assert abs(trail.written - datetime.now(UTC)) < timedelta(minutes=5)
    assert source.poll(100) == []
    finish(source, arrivals)
    logs.clock.advance(hours=1)
    assert source.poll(100) == []


def test_new_objects_arrive_when_it_is_time_to_look(logs):
    logs.put(key("a"))
    source = logs.open(cadence=Cadence(interval=timedelta(seconds=30)))
    source.poll(10)
    logs.put(key("b"))
    assert source.poll(10) == []
    logs.clock.advance(seconds=30)
    assert logs.keys(source.poll(10)) == [key("b")]


def test_objects_that_were_delivered_late_are_found(logs):
    logs.put(key("m"))
    source = logs.open()
    finish(source, source.poll(10))
    late = key("a", time=NOON - timedelta(days=1, hours=3))
    logs.put(late)
    logs.clock.advance(minutes=1)
    assert logs.keys(source.poll(10)) == [late]


def test_an_object_that_was_written_again_with_other_content_arrives_again(logs):
    logs.put(key("a"))
    source = logs.open()
    finish(source, source.poll(10))
    logs.clock.advance(minutes=1)
    logs.put(key("a"))
    assert source.poll(10) == []
    logs.clock.advance(minutes=5)
    logs.put(key("a"), body=b"other")
    assert logs.keys(source.poll(10)) == [key("a")]


def test_new_accounts_and_regions_are_discovered(logs):
    logs.put(key())
    source = logs.open(discovery_interval=timedelta(minutes=10))
    finish(source, source.poll(10))
    newcomer = key(account=ACCOUNTS[1], region="ap-south-1")
    logs.put(newcomer)
    logs.clock.advance(minutes=9)
    assert source.poll(10) == []
    logs.clock.advance(minutes=1)
    assert logs.keys(source.poll(10)) == [newcomer]


def test_a_restart_goes_on_from_the_position(logs):
    logs.put(*(key(f"{index}") for index in range(5)))
    first = logs.open()
    arrivals = first.poll(3)
    position = json.loads(json.dumps(first.position([arrival.receipt for arrival in arrivals[:2]])))
    second = logs.open()
    second.restore(position)
    assert sorted(logs.keys(second.poll(10))) == sorted(key(f"{index}") for index in range(5))[2:]


def test_a_position_holds_what_was_acknowledged_before(logs):
    logs.put(key("a"), key("b"))
    first = logs.open()
    (arrival,) = first.poll(1)
    first.position([arrival.receipt])
    finish(first, [arrival])
    second = logs.open()
    second.restore(first.position())
    assert len(second.poll(10)) == 1


def test_what_is_older_than_the_last_days_costs_neither_requests_nor_memory(logs):
    days = [NOON - timedelta(days=back) for back in range(20)]
    logs.put(*(key(time=day) for day in days))
    source = logs.open(cadence=Cadence(late_days=2))
    finish(source, source.poll(100))
    logs.clock.advance(minutes=1)
    source.poll(100)
    (series,) = source.position()["series"]
    assert series["floor"] == "2026-11-18"
    assert sorted(series["days"]) == ["2026-11-18", "2026-11-19", "2026-11-20"]


def test_the_last_days_do_not_move_past_what_is_still_worked_on(logs):
    old, new = key(time=NOON - timedelta(days=10)), key()
    logs.put(old, new)
    source = logs.open()
    arrivals = source.poll(10)
    finish(source, [arrival for arrival in arrivals if arrival.object.url.endswith(new)])
    logs.clock.advance(minutes=1)
    source.poll(10)
    again = logs.open()
    again.restore(source.position())
    assert logs.keys(again.poll(10)) == [old]


def test_a_key_dated_in_the_future_hides_nothing(logs):
    logs.put(key("a"), key(time=datetime(2099, 1, 1, tzinfo=UTC)))
    source = logs.open()
    finish(source, source.poll(10))
    logs.clock.advance(minutes=6)
    logs.put(key("b"))
    assert logs.keys(source.poll(10)) == [key("b")]


@pytest.mark.parametrize(
    "folder",
    [
        "AWSLogs/111122223333/vpcflowlogs/eu-west-1/{:%Y/%m/%d}/",
        "flow/AWSLogs/aws-account-id=111122223333/aws-service=vpcflowlogs/aws-region=eu-west-1/"
        "year={0:%Y}/month={0:%m}/day={0:%d}/hour={0:%H}/",
        "ext/CLOUD_TRAIL_MGMT/2.0/region=eu-west-1/accountId=111122223333/eventDay={:%Y%m%d}/",
    ],
    ids=["plain", "hive", "lake"],
)
def test_the_first_listing_starts_at_the_wanted_day(folder, logs, monkeypatch):
    keys = [folder.format(NOON - timedelta(days=back)) + f"{back}" for back in range(9)]
    logs.put(*keys)
    source = logs.open(key_filter=KeyFilter(since=NOON - timedelta(days=2)))
    asked: list[str] = []
    page = source._bucket.page
    monkeypatch.setattr(
        source._bucket,
        "page",
        lambda prefix, **options: asked.append(options.get("start_after")) or page(prefix, **options),
    )
    found = sorted(logs.keys(source.poll(100)))
    assert found[0].startswith(folder.format(NOON - timedelta(days=3))) or found[0].startswith(
        folder.format(NOON - timedelta(days=2))
    )
    start = next(filter(None, asked))
    before, first = (folder.format(NOON - timedelta(days=back)) for back in (4, 3))
    assert before + "zzz" < start < first


def test_quiet_prefixes_are_listed_ever_more_rarely():
    cadence = Cadence(interval=timedelta(seconds=30), quiet_interval=timedelta(minutes=5))
    waits = [cadence.interval]
    for _ in range(10):
        waits.append(cadence.next_interval(waits[-1], found_new=False))
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(minutes=5)
    assert cadence.next_interval(waits[-1], found_new=True) == timedelta(seconds=30)


def test_a_prefix_of_several_pages_is_listed_from_its_end_between_passes_through_the_last_days(logs, monkeypatch):
    source = logs.open(cadence=Cadence(interval=timedelta(seconds=30), late_interval=timedelta(minutes=5)))
    page = source._bucket.page
    monkeypatch.setattr(
        source._bucket,
        "page",
        lambda prefix, **options: page(prefix, **{"most": 4 if options.get("below", True) else 1000} | options),
    )
    logs.put(*(key(f"{index:02}") for index in range(20)))
    finish(source, source.poll(100))
    before = source.requests
    logs.clock.advance(seconds=30)
    logs.put(key("99"), key("05b"))
    finish(source, arrivals := source.poll(100))
    assert logs.keys(arrivals) == [key("99")]
    assert source.requests - before == 1
    logs.clock.advance(minutes=5)
    assert logs.keys(source.poll(100)) == [key("05b")]


def test_a_backlog_is_listed_no_faster_than_it_is_asked_for(logs, monkeypatch):
    source = logs.open()
    page = source._bucket.page
    monkeypatch.setattr(source._bucket, "page", lambda prefix, **options: page(prefix, **{"most": 4} | options))
    logs.put(*(key(f"{index:02}") for index in range(20)))
    assert len(source.poll(2)) == 2
    assert source.lag().backlog == 4
    assert [len(source.poll(7)) for _ in range(4)] == [7, 7, 4, 0]


def test_folders_in_no_layout_are_listed_as_a_whole(logs):
    logs.put("exports/a.json", "exports/deep/er/b.json", "other/AWSLogs/" + key().removeprefix("AWSLogs/"))
    source = logs.open()
    arrivals = source.poll(10)
    assert len(arrivals) == 3
    finish(source, arrivals)
    logs.clock.advance(minutes=6)
    logs.put("exports/deep/0.json")
    assert logs.keys(source.poll(10)) == ["exports/deep/0.json"]


def test_what_could_not_be_read_comes_again_after_a_while(logs):
    logs.put(key())
    source = logs.open()
    (arrival,) = source.poll(10)
    source.release([arrival.receipt], Failure.DENIED)
    assert source.poll(10) == []
    assert [problem.place for problem in source.problems()] == [f"s3://{logs.name}"]
    assert source.position([])["series"][0]["days"] == {}
    logs.clock.advance(seconds=30)
    (again,) = source.poll(10)
    assert (again.object, again.attempt) == (arrival.object, 2)


def test_lag_is_what_was_listed_and_is_not_done(logs):
    logs.put(key("a"), key("b"))
    source = logs.open()
    arrivals = source.poll(10)
    logs.clock.now = datetime.now(UTC) + timedelta(hours=1)
    assert source.lag().backlog == 2
    assert timedelta(minutes=59) < source.lag().oldest < timedelta(minutes=65)
    assert source.lag([arrivals[0].receipt]).backlog == 1
    finish(source, arrivals)
    assert source.lag().oldest is None


def test_a_bucket_that_does_not_exist_is_one_clear_error(logs):
    with pytest.raises(SourceError, match="no such bucket"):
        logs.open(bucket="nowhere-at-all").poll(1)


def test_a_store_out_of_reach_is_told_of_and_asked_again(logs):
    source = logs.open(endpoint="http://127.0.0.1:1")
    assert source.poll(1) == []
    assert "Could not connect" in source.problems()[0].reason


def test_a_position_of_another_source_is_refused(logs):
    with pytest.raises(SnapshotError, match="'sqs'"):
        logs.open().restore({"kind": "sqs", "version": 1})


DAYS = st.dates(date(2026, 1, 1), date(2026, 1, 9))


@given(
    objects=st.lists(st.tuples(DAYS, st.integers(0, (1 << 64) - 1)), max_size=30),
    more=st.lists(st.tuples(DAYS, st.integers(0, (1 << 64) - 1)), max_size=5),
    floor=st.none() | DAYS,
)
def test_what_is_remembered_survives_a_position(objects, more, floor):
    seen = SeenObjects()
    for day, digest in objects:
        seen.add(day, digest)
    if floor:
        seen.raise_floor(floor)
    seen.to_json()  # what is kept of it must not hide what comes later
    for day, digest in more[:2]:
        seen.add(day, digest)
    again = SeenObjects.from_json(json.loads(json.dumps(seen.to_json(more))))
    assert all(again.has(day, digest) for day, digest in objects + more)
    assert again.to_json() == seen.to_json(more)


def test_key_and_content_make_an_object():
    assert len({digest_of("a", "1"), digest_of("a", "2"), digest_of("b", "1"), digest_of("", "a1")}) == 4
