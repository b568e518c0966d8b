"""From URLs to sources, and one clear error for what is none."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from source_samples import event, log_file

from guardray.connectors.folder import FolderSource
from guardray.connectors.listing import ListingSource
from guardray.connectors.many import ManySources
from guardray.connectors.opening import open_source
from guardray.connectors.source import Arrival, Failure
from guardray.connectors.spool import Spool, SpoolConfig
from guardray.connectors.spooled import SpoolSource
from guardray.connectors.sqs import QueueSource
from guardray.errors import UsageError

QUEUE = "/111122223333/logs"


@pytest.fixture(autouse=True)
def _credentials(aws):
    """boto3 asks for a Region and credentials where it is opened."""


@pytest.mark.parametrize(
    ("url", "kind", "name"),
    [
        ("s3://trail-bucket", ListingSource, "s3://trail-bucket/"),
        ("s3://trail-bucket/logs/AWSLogs/", ListingSource, "s3://trail-bucket/logs/AWSLogs/"),
        (f"sqs://sqs.eu-west-1.amazonaws.com{QUEUE}", QueueSource, f"https://sqs.eu-west-1.amazonaws.com{QUEUE}"),
        (f"https://sqs.eu-west-1.amazonaws.com{QUEUE}", QueueSource, f"https://sqs.eu-west-1.amazonaws.com{QUEUE}"),
    ],
)
def test_a_url_opens_its_source(url, kind, name):
    source = open_source(url)
    assert (type(source), source.name) == (kind, name)
    source.close()


@pytest.mark.parametrize(
    ("host", "region", "endpoint"),
    [
        ("sqs.eu-west-1.amazonaws.com", "eu-west-1", None),
        ("sqs-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", None),
        ("sqs.cn-north-1.amazonaws.com.cn", "cn-north-1", None),
        ("sqs.eu-west-1.api.aws", "eu-west-1", None),
        ("eu-central-1.queue.amazonaws.com", "eu-central-1", None),
        ("queue.amazonaws.com", "us-east-1", None),
        (
            "vpce-0a-b.sqs.eu-west-1.vpce.amazonaws.com",
            "eu-west-1",
            "https://vpce-0a-b.sqs.eu-west-1.vpce.amazonaws.com",
        ),
        ("queues.example.org:9324", None, "https://queues.example.org:9324"),
    ],
)
def test_a_queues_region_and_endpoint_are_told_from_its_host(host, region, endpoint):
    source = open_source(f"https://{host}{QUEUE}")
    assert (source._config.region, source._config.endpoint) == (region, endpoint)
    source.close()


def test_a_folder_and_a_spool_are_opened_by_their_paths(tmp_path):
    for url in (str(tmp_path), f"file://{tmp_path}"):
        assert isinstance(source := open_source(url, still=timedelta(seconds=9)), FolderSource)
        assert source._config.still == timedelta(seconds=9)
    assert isinstance(open_source(f"spool:{tmp_path}/spool"), SpoolSource)


@pytest.mark.parametrize(
    ("url", "options", "reason"),
    [
        ("s3://", {}, "no bucket in the URL"),
        ("s3:///key", {}, "no bucket in the URL"),
        ("s3://UP per/x", {}, "'UP per' is no name of a bucket"),
        ("sqs://sqs.eu-west-1.amazonaws.com/logs", {}, "the path of a queue's URL is /ACCOUNT/NAME"),
        (f"sqs://user:secret@sqs.eu-west-1.amazonaws.com{QUEUE}", {}, "has a host and a path, and nothing else"),
        (f"https://sqs.eu-west-1.amazonaws.com{QUEUE}?x=1", {}, "has a host and a path, and nothing else"),
        ("kafka://broker/topic", {}, "no source begins with kafka://; there is s3://bucket/prefix"),
        ("/no/such/folder", {}, "/no/such/folder: no such folder; there is s3://bucket/prefix"),
        (__file__, {}, "is a file: guardray scan reads it"),
        ("spool:", {}, "no folder is named"),
        ("spool:x", {"still": 1}, "a spool has no settings: still"),
        ("s3://trail-bucket/x", {"visibility": 1}, "no setting is called visibility; there are endpoint, key_filter"),
    ],
)
def test_a_wrong_url_is_one_clear_error(url, options, reason):
    with pytest.raises(UsageError) as raised:
        open_source(url, **options)
    assert reason in str(raised.value)
    assert "secret" not in str(raised.value)


class TestMany:
    """Several sources as one."""

    @pytest.fixture
    def folders(self, tmp_path):
        for name in "abc":
            spool = Spool(SpoolConfig(path=tmp_path / name))
            for number in range(4):
                spool.accept(name, [log_file(event(eventID=f"{name}{number}"))])
        return [tmp_path / name for name in "abc"]

    def test_each_gets_its_share_and_all_is_read(self, folders):
        many = ManySources([SpoolSource(folder) for folder in folders])
        first = many.poll(6)
        assert sorted(arrival.object.url[len(str(folders[0].parent)) + 1] for arrival in first) == list("aabbcc")
        assert len(many.poll(100)) == 6
        assert many.poll(100) == []

    def test_a_small_limit_reaches_every_source_in_turn(self, folders):
        many = ManySources([SpoolSource(folder) for folder in folders])
        owners = [many.poll(1)[0].object.url.split("/")[-2] for _ in range(3)]
        assert sorted(owners) == ["a", "b", "c"]

    def test_positions_and_receipts_go_to_their_own_source(self, folders):
        many = ManySources([SpoolSource(folder) for folder in folders])
        arrivals = many.poll(100)
        many.acknowledge([arrival.receipt for arrival in arrivals[:5]])
        done = [arrival.receipt for arrival in arrivals[5:9]]
        many.renew(done)
        position = json.loads(json.dumps(many.position(done)))
        again = ManySources([SpoolSource(folder) for folder in folders])
        again.restore(position)
        left: list[Arrival] = again.poll(100)
        assert {arrival.object.url for arrival in left} == {arrival.object.url for arrival in arrivals[9:]}
        assert again.lag().backlog == 3

    def test_one_that_is_gone_does_not_hold_up_the_others(self, folders, tmp_path):
        gone = tmp_path / "gone"
        gone.mkdir()
        watched = open_source(str(gone))
        gone.rmdir()
        many = ManySources([watched, SpoolSource(folders[0])])
        assert len(many.poll(100)) == 4
        assert [str(problem) for problem in many.problems()] == [f"{gone}: no such folder"]

    def test_the_position_of_a_source_that_is_no_more_is_told_of(self, folders):
        before = ManySources([SpoolSource(folder) for folder in folders])
        after = ManySources([SpoolSource(folder) for folder in folders[:1]])
        after.restore(before.position())
        assert len(after.problems()) == 2

    def test_what_is_released_comes_again(self, folders, clock):
        many = ManySources([SpoolSource(folder, clock) for folder in folders])
        (arrival,) = many.poll(1)
        many.release([arrival.receipt], Failure.THROTTLED)
        clock.advance(minutes=1)
        assert arrival.receipt in {again.receipt for again in many.poll(100)}

    def test_one_source_named_twice_is_a_usage_error(self, folders):
        with pytest.raises(UsageError, match="named twice"):
            ManySources([SpoolSource(folders[0]), SpoolSource(folders[0])])
