"""Reading from S3, against a local server that speaks its protocol."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from moto.server import ThreadedMotoServer
from source_samples import event, log_file, read

from guardray.errors import SourceError, UsageError
from guardray.sources.objects import InputObject, KeyFilter, locate
from guardray.sources.reader import Reader
from guardray.sources.s3 import Bucket

BUCKET = "trail"
FOLDER = "AWSLogs/o-exampleorgid/{account}/CloudTrail/{region}/2021/05/{day:02}/"
TRAIL = FOLDER + "{account}_CloudTrail_{region}_202105{day:02}T1200Z_x.json.gz"
ACCOUNTS = ("111122223333", "444455556666")
REGIONS = ("eu-west-1", "us-east-1")
DAYS = range(1, 6)
KEYS = [TRAIL.format(account=a, region=r, day=d) for a in ACCOUNTS for r in REGIONS for d in DAYS]
BESIDE = ["AWSLogs/o-exampleorgid/111122223333/CloudTrail-Digest/eu-west-1/2021/05/01/x.json.gz", "other/notes.json"]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A bucket with an organisation's trail."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        url = f"http://{host}:{port}"
        client = boto3.client("s3", endpoint_url=url)
        client.create_bucket(Bucket=BUCKET)
        for key in [*KEYS, *BESIDE]:
            client.put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(log_file(event())))
        client.close()
        yield url
    server.stop()


def keys(objects: list[InputObject]) -> list[str]:
    return sorted(obj.url.removeprefix(f"s3://{BUCKET}/") for obj in objects)


def test_all_logs_below_a_prefix_are_found(endpoint):
    assert keys(locate([f"s3://{BUCKET}"], KeyFilter(), endpoint)) == sorted([*KEYS, "other/notes.json"])
    assert keys(locate([f"s3://{BUCKET}/other/"], KeyFilter(), endpoint)) == ["other/notes.json"]


def test_a_filter_finds_what_the_plain_listing_would_keep(endpoint):
    wanted = KeyFilter(
        since=datetime(2021, 5, 3, tzinfo=UTC),
        until=datetime(2021, 5, 3, 6, tzinfo=UTC),
        account_ids=frozenset({ACCOUNTS[0]}),
        regions=frozenset({REGIONS[0]}),
    )
    # What was delivered at noon of the 4th is more than a day later than six o'clock of the 3rd.
    expected = [TRAIL.format(account=ACCOUNTS[0], region=REGIONS[0], day=3)]
    assert keys(locate([f"s3://{BUCKET}/AWSLogs/"], wanted, endpoint)) == expected
    assert keys(locate([f"s3://{BUCKET}"], wanted, endpoint)) == sorted([*expected, "other/notes.json"])


def test_only_matching_folders_are_listed(endpoint, monkeypatch):
    listed: list[str] = []
    pages = Bucket._pages

    def recorded(bucket, prefix, **options):
        listed.append(prefix)
        return pages(bucket, prefix, **options)

    monkeypatch.setattr(Bucket, "_pages", recorded)
    wanted = KeyFilter(since=datetime(2021, 5, 5, 2, tzinfo=UTC), regions=frozenset({REGIONS[0]}))
    locate([f"s3://{BUCKET}/AWSLogs/"], wanted, endpoint)
    assert not any("us-east-1" in prefix or "Digest" in prefix for prefix in listed)
    assert [prefix for prefix in listed if "/2021/05/" in prefix] == [
        f"AWSLogs/o-exampleorgid/{account}/CloudTrail/eu-west-1/2021/05/{day}"
        for account in ACCOUNTS
        for day in ("", "05/")
    ]


def test_objects_are_read_with_what_their_keys_tell(endpoint):
    objects = locate([f"s3://{BUCKET}/AWSLogs/"], KeyFilter(account_ids=frozenset({ACCOUNTS[1]})), endpoint)
    assert {obj.account_id for obj in objects} == {ACCOUNTS[1]}
    assert all(abs(obj.written - datetime.now(UTC)) < timedelta(minutes=5) for obj in objects)
    result = read(Reader(s3_endpoint=endpoint), objects)
    assert result.frame.height == len(objects) == len(REGIONS) * len(DAYS)
    assert result.aside == []


def test_an_object_that_is_gone_is_set_aside_and_the_others_are_read(endpoint):
    urls = [f"s3://{BUCKET}/{KEYS[0]}", f"s3://{BUCKET}/gone", f"s3://{BUCKET}/{KEYS[1]}"]
    result = read(Reader(s3_endpoint=endpoint), [InputObject(url=url) for url in urls])
    assert result.frame.height == 2
    assert [(row.url, row.reason) for row in result.aside] == [(urls[1], "no such object")]
    assert sorted(result.done) == sorted(urls)


def test_a_missing_bucket_is_one_clear_error(endpoint):
    with pytest.raises(SourceError, match="s3://nowhere/AWSLogs/: no such bucket"):
        locate(["s3://nowhere/AWSLogs/"], KeyFilter(), endpoint)


def test_a_prefix_with_nothing_below_does_not_exist(endpoint):
    for key_filter in (KeyFilter(), KeyFilter(regions=frozenset(REGIONS))):
        with pytest.raises(UsageError, match="no such object, and none below it"):
            locate([f"s3://{BUCKET}/nothing/"], key_filter, endpoint)


def test_a_prefix_of_which_nothing_is_wanted_is_no_error(endpoint):
    assert locate([f"s3://{BUCKET}/AWSLogs/"], KeyFilter(regions=frozenset({"ap-south-1"})), endpoint) == []


def test_a_url_without_a_bucket_is_a_usage_error():
    with pytest.raises(UsageError, match="no bucket"):
        locate(["s3:///key"], KeyFilter())
