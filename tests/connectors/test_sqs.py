"""Objects that queues tell of, from a bucket's own notifications over real HTTP."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from connectors.test_notifications import bridge_event, s3_message
from source_samples import event, log_file, read

from guardray.connectors.many import ManySources
from guardray.connectors.notifications import ObjectCreated
from guardray.connectors.record import MessageRecord
from guardray.connectors.source import Failure, Lag
from guardray.connectors.sqs import QueueConfig, QueueSource
from guardray.errors import SnapshotError, SourceError
from guardray.sources.aws_keys import KeyFilter
from guardray.sources.reader import Reader

TRAIL = (
    "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/20/111122223333_CloudTrail_eu-west-1_20261120T1205Z_{}.json.gz"
)
DIGEST = (
    "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/11/20/111122223333_CloudTrail-Digest_eu-west-1_x.json.gz"
)
CONFIG = "AWSLogs/111122223333/Config/eu-west-1/2026/11/20/ConfigHistory/111122223333_Config_eu-west-1_x.json.gz"


class QueueInUse:
    """A queue of a test: what it is told, and what it holds."""

    def __init__(self, client: Callable[..., Any], **attributes: str) -> None:
        self.sqs = client("sqs")
        self.name = f"logs-{uuid4().hex[:12]}"
        self.url = self.sqs.create_queue(QueueName=self.name, Attributes=attributes)["QueueUrl"]
        self.arn = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]

    def send(self, *bodies: Any) -> None:
        for body in bodies:
            text = body if isinstance(body, str) else json.dumps(body)
            self.sqs.send_message(QueueUrl=self.url, MessageBody=text)

    def send_object(self, *keys: str, bucket: str = "trail") -> None:
        """One message that tells of these objects."""
        self.send(s3_message(*(ObjectCreated(bucket=bucket, key=key, size=10) for key in keys)))

    @property
    def left(self) -> int:
        """Messages that are not deleted, whether they can be received or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(map(int, found.values()))

    def show_again(self) -> None:
        """End all visibility time-outs, as time would."""
        for handle in self._handles:
            self.sqs.change_message_visibility(QueueUrl=self.url, ReceiptHandle=handle, VisibilityTimeout=0)

    _handles: tuple[str, ...] = ()

    def remember(self, source: QueueSource) -> None:
        self._handles = tuple(d.message.handle for d in source._deliveries._open.values())


@pytest.fixture
def queue(client: Callable[..., Any]) -> QueueInUse:
    return QueueInUse(client)


@pytest.fixture
def open_queue(aws: str, clock: Any) -> Any:
    """Sources that are closed when the test ends."""
    opened: list[QueueSource] = []

    def open_(queue: QueueInUse, **options: Any) -> QueueSource:
        options = {"wait_s": 0, "region": "eu-west-1", "endpoint": aws} | options
        opened.append(QueueSource(QueueConfig(url=queue.url, **options), clock))
        return opened[-1]

    yield open_
    for source in opened:
        source.close()


def urls(arrivals: list[Any]) -> list[str]:
    return sorted(arrival.object.url for arrival in arrivals)


def receipts(arrivals: list[Any]) -> list[str]:
    return [arrival.receipt for arrival in arrivals]


def subscribe(client, topic: str, queue: QueueInUse, *, raw: bool) -> None:
    attributes = {"RawMessageDelivery": "true"} if raw else {}
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes=attributes)


def by_queue(client, bucket, queue):
    configuration = {"QueueConfigurations": [{"QueueArn": queue.arn, "Events": ["s3:ObjectCreated:*"]}]}
    client("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)


def by_topic(client, bucket, queue, *, raw=False):
    topic = client("sns").create_topic(Name=f"logs-{uuid4().hex[:12]}")["TopicArn"]
    subscribe(client, topic, queue, raw=raw)
    configuration = {"TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]}
    client("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)


def by_raw_topic(client, bucket, queue):
    by_topic(client, bucket, queue, raw=True)


def by_event_bus(client, bucket, queue):
    events, rule = client("events"), f"logs-{uuid4().hex[:12]}"
    events.put_rule(
        Name=rule, EventPattern=json.dumps({"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}})
    )
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": queue.arn}])
    configuration = {"EventBridgeConfiguration": {}}
    client("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)


@pytest.mark.parametrize("notify", [by_queue, by_topic, by_raw_topic, by_event_bus], ids=lambda f: f.__name__)
def test_an_object_put_into_a_bucket_arrives_and_can_be_read(notify, client, bucket, queue, open_queue, aws):
    notify(client, bucket, queue)
    keys = [TRAIL.format("a"), "odd names/50% & ü+1.json"]
    for key in keys:
        client("s3").put_object(Bucket=bucket, Key=key, Body=gzip.compress(log_file(event(eventID=key))))
    source = open_queue(queue)
    arrivals = source.poll(10)
    assert urls(arrivals) == sorted(f"s3://{bucket}/{key}" for key in keys)
    trail = next(arrival.object for arrival in arrivals if "AWSLogs" in arrival.object.url)
    assert (trail.account_id, trail.region, f"{trail.key_time:%H:%M}") == ("111122223333", "eu-west-1", "12:05")
    result = read(Reader(s3_endpoint=aws), [arrival.object for arrival in arrivals])
    assert result.frame.height == 2
    assert result.aside == []
    source.acknowledge(receipts(arrivals))
    assert queue.left == 0
    assert source.problems() == []


def test_a_message_is_deleted_when_the_last_of_its_objects_is_done(queue, open_queue):
    queue.send_object("a", "b", "c")
    source = open_queue(queue)
    first, second, third = source.poll(10)
    source.acknowledge([first.receipt, second.receipt])
    assert queue.left == 1
    source.acknowledge([third.receipt])
    assert queue.left == 0


def test_more_objects_than_asked_for_wait_their_turn(queue, open_queue):
    queue.send_object(*"abcde")
    source = open_queue(queue)
    assert [len(source.poll(2)) for _ in range(4)] == [2, 2, 1, 0]


def test_many_messages_are_received_and_deleted_in_batches(queue, open_queue):
    for index in range(57):
        queue.send_object(f"k{index:02}")
    source = open_queue(queue)
    arrivals = source.poll(40)
    assert len(arrivals) == 40
    arrivals += source.poll(40)
    assert urls(arrivals) == [f"s3://trail/k{index:02}" for index in range(57)]
    source.acknowledge(receipts(arrivals))
    assert queue.left == 0


def test_an_idle_queue_is_asked_once_a_poll(queue, open_queue, monkeypatch):
    source = open_queue(queue)
    asked: list[int] = []
    receive = source._queue._receive
    monkeypatch.setattr(source._queue, "_receive", lambda most, *rest: asked.append(most) or receive(most, *rest))
    for _ in range(3):
        assert source.poll(1_000) == []
    assert asked == [10, 10, 10]


def test_what_is_no_log_is_passed_over_and_deleted(queue, open_queue):
    queue.send_object(DIGEST, CONFIG)
    queue.send({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "trail"})
    queue.send_object("AWSLogs/111122223333/CloudTrail/")
    source = open_queue(queue)
    assert source.poll(10) == []
    assert queue.left == 0
    assert source.passed_over == 3


def test_logs_beside_digests_are_read_and_their_message_deleted_after_them(queue, open_queue):
    queue.send_object(DIGEST, TRAIL.format("a"), CONFIG)
    source = open_queue(queue)
    (arrival,) = source.poll(10)
    assert queue.left == 1
    source.acknowledge([arrival.receipt])
    assert queue.left == 0


def test_the_key_filter_rules_out_objects(queue, open_queue):
    queue.send_object(TRAIL.format("a"))
    source = open_queue(queue, key_filter=KeyFilter(account_ids=frozenset({"999999999999"})))
    assert source.poll(10) == []
    assert source.passed_over == 1


def test_a_message_that_comes_again_while_it_is_worked_on_is_not_worked_on_twice(queue, open_queue):
    queue.send_object("a")
    source = open_queue(queue)
    (arrival,) = source.poll(10)
    queue.remember(source)
    queue.show_again()
    assert source.poll(10) == []
    source.acknowledge([arrival.receipt])
    assert queue.left == 0


def test_what_was_not_acknowledged_comes_again(queue, open_queue):
    queue.send_object("a")
    first = open_queue(queue)
    assert len(first.poll(10)) == 1
    queue.remember(first)
    queue.show_again()
    second = open_queue(queue)
    second.restore(first.position())
    (again,) = second.poll(10)
    assert again.attempt == 2


def test_a_message_that_the_checkpoint_holds_is_deleted_and_not_read_again(queue, open_queue):
    queue.send_object("a", "b")
    queue.send_object("c")
    first = open_queue(queue)
    arrivals = first.poll(10)
    queue.remember(first)
    done = [arrival.receipt for arrival in arrivals if not arrival.object.url.endswith("/b")]
    position = json.loads(json.dumps(first.position(done)))
    queue.show_again()  # as after a crash between the checkpoint and the acknowledgement
    second = open_queue(queue)
    second.restore(position)
    assert urls(second.poll(10)) == ["s3://trail/a", "s3://trail/b"]
    assert queue.left == 1


def test_a_position_of_another_source_is_refused(queue, open_queue):
    source = open_queue(queue)
    with pytest.raises(SnapshotError, match="the position is of 'folder' and not of 'sqs'"):
        source.restore({"kind": "folder", "version": 1})
    with pytest.raises(SnapshotError, match="version 99"):
        source.restore({"kind": "sqs", "version": 99, "done": []})


def test_messages_are_kept_while_they_are_worked_on(queue, open_queue, clock, client):
    queue.send_object("a")
    source = open_queue(queue, visibility=timedelta(seconds=2))
    (arrival,) = source.poll(10)
    for _ in range(4):
        clock.advance(seconds=1)
        source.renew([arrival.receipt])
    seen = client("sqs").receive_message(QueueUrl=queue.url, WaitTimeSeconds=1)
    assert "Messages" not in seen


def test_renewing_costs_no_request_as_long_as_most_of_the_time_is_left(queue, open_queue, clock, monkeypatch):
    queue.send_object("a")
    source = open_queue(queue, visibility=timedelta(minutes=3))
    (arrival,) = source.poll(10)
    held: list[int] = []
    hold = source._queue.hold
    monkeypatch.setattr(source._queue, "hold", lambda handles, time: held.append(len(handles)) or hold(handles, time))
    for _ in range(12):
        clock.advance(seconds=30)
        source.renew([arrival.receipt])
    assert sum(held) == 4  # once in 90 s, over 6 minutes


def test_a_message_that_cannot_be_kept_any_longer_is_told_of(queue, open_queue, clock):
    queue.send_object("a")
    source = open_queue(queue, visibility=timedelta(minutes=1))
    (arrival,) = source.poll(10)
    queue.sqs.purge_queue(QueueUrl=queue.url)
    clock.advance(seconds=50)
    source.renew([arrival.receipt])
    assert [str(problem) for problem in source.problems()] == [
        f"{queue.url}: messages could not be kept from others, which SQS allows for 12 hours: they come again"
    ]


def test_a_throttled_object_is_tried_again_without_another_receipt(queue, open_queue, clock):
    queue.send_object("a")
    source = open_queue(queue)
    (arrival,) = source.poll(10)
    source.release([arrival.receipt], Failure.THROTTLED)
    assert source.poll(10) == []
    clock.advance(seconds=1)
    (again,) = source.poll(10)
    assert (again.object, again.attempt) == (arrival.object, 2)
    source.acknowledge([again.receipt])
    assert queue.left == 0


def test_a_denied_object_goes_back_into_the_queue_and_is_told_of(queue, open_queue, client):
    queue.send_object("a")
    source = open_queue(queue)
    (arrival,) = source.poll(10)
    source.release([arrival.receipt], Failure.DENIED)
    assert source.poll(10) == []
    assert queue.left == 1
    assert "s3://trail: an object may not be read; it is tried again" in str(source.problems()[0])
    source.acknowledge([arrival.receipt])  # of a message that is the queue's again
    assert queue.left == 1


def test_a_message_that_is_none_of_ours_is_left_and_told_of_once(queue, open_queue):
    queue.send("hello", "hello", {"order": 17})
    queue.send_object("a")
    source = open_queue(queue)
    assert urls(source.poll(10)) == ["s3://trail/a"]
    assert queue.left == 4
    left = f"{queue.url}: a message that is none of S3's is left in the queue: it"
    assert sorted(str(problem) for problem in source.problems()) == [
        f"{left} has no field that tells of objects in S3",
        f"{left} is no JSON (2 times)",
    ]
    assert source.problems() == []


def receive_until(source: QueueSource, times: int) -> list[Any]:
    return [arrival for _ in range(times) for arrival in source.poll(10)]


def test_poison_is_set_aside_and_deleted_where_the_queue_has_no_redrive_policy(queue, open_queue, tmp_path, clock):
    queue.send_object("poison")
    queue.send("hello")
    record = tmp_path / "aside" / "messages.jsonl"
    seen = 0
    for _ in range(4):  # each one dies before it has done anything
        source = open_queue(queue, visibility=timedelta(0), max_receives=3, record=record)
        seen += len(source.poll(1)) + len(source.poll(1))
    for _ in range(6):
        source.poll(10)
    kept = {message.body: message for message in MessageRecord(record)}
    assert len(kept) == 2
    assert kept["hello"].reason == "it is no JSON"
    assert all(message.receive_count > 3 and message.queue == queue.url for message in kept.values())
    assert queue.left == 0
    assert any("it is set aside in" in str(problem) for problem in source.problems())


def test_poison_is_left_to_the_redrive_policy_and_told_of(client, open_queue, tmp_path):
    dead = QueueInUse(client)
    policy = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 4})
    queue = QueueInUse(client, RedrivePolicy=policy)
    queue.send_object("poison")
    record = tmp_path / "messages.jsonl"
    told: list[str] = []
    for _ in range(6):
        source = open_queue(queue, visibility=timedelta(0), max_receives=2, record=record)
        source.poll(1)
        told += map(str, source.problems())
    assert any("without being done: it is left to the queue's redrive policy" in text for text in told)
    assert (queue.left, dead.left) == (0, 1)
    assert not record.exists()


def test_poison_stays_where_it_cannot_be_set_aside(queue, open_queue):
    queue.send("hello")
    for _ in range(4):
        source = open_queue(queue, visibility=timedelta(0), max_receives=2)
        source.poll(1)
    assert queue.left == 1
    assert any("neither a redrive policy nor a record" in str(problem) for problem in source.problems())


def test_lag_counts_what_waits_and_the_age_of_what_is_worked_on(queue, open_queue, clock):
    source = open_queue(queue)
    assert source.lag() == Lag(backlog=0, oldest=None)
    for index in range(5):
        queue.send_object(f"k{index}")
    clock.advance(minutes=1)  # what the queue said of itself is too old then
    arrivals = source.poll(2)
    clock.now = arrivals[0].seen_at + timedelta(days=400)
    lag = source.lag()
    assert lag.backlog == 5
    assert lag.oldest is not None
    assert lag.oldest > timedelta(days=1)
    assert source.lag(receipts(arrivals)) == Lag(backlog=3, oldest=None)


def test_queues_of_several_regions_are_read_at_once(client, aws, clock):
    sources = []
    for region in ("eu-west-1", "us-east-1", "ap-south-1"):
        sqs = client("sqs", region)
        url = sqs.create_queue(QueueName=f"logs-{uuid4().hex[:12]}")["QueueUrl"]
        for number in range(3):
            body = json.dumps(s3_message(ObjectCreated(bucket=f"trail-{region}", key=f"k{number}")))
            sqs.send_message(QueueUrl=url, MessageBody=body)
        sources.append(QueueSource(QueueConfig(url=url, region=region, endpoint=aws, wait_s=0), clock))
    many = ManySources(sources)
    arrivals = many.poll(100)
    assert len({arrival.object.url for arrival in arrivals}) == 9
    position = many.position(receipts(arrivals))
    assert [len(of_one["done"]) for of_one in position["sources"].values()] == [3, 3, 3]
    many.acknowledge(receipts(arrivals))
    clock.advance(minutes=1)
    assert many.lag().backlog == 0
    many.close()


def test_a_queue_that_does_not_exist_is_one_clear_error(open_queue, queue):
    queue.sqs.delete_queue(QueueUrl=queue.url)
    with pytest.raises(SourceError, match="no such queue"):
        open_queue(queue).poll(1)


def test_a_queue_that_does_not_answer_is_told_of_and_tried_again(queue, open_queue, aws, monkeypatch):
    source = open_queue(queue, endpoint="http://127.0.0.1:1")
    assert source.poll(1) == []
    assert "Could not connect" in source.problems()[0].reason


def test_an_object_version_is_read_after_it_was_deleted(client, bucket, queue, open_queue, aws):
    s3 = client("s3")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="k", Body=log_file(event()))["VersionId"]
    queue.send(bridge_event(ObjectCreated(bucket=bucket, key="k", version_id=version)))
    s3.delete_object(Bucket=bucket, Key="k")
    (arrival,) = open_queue(queue).poll(1)
    assert read(Reader(s3_endpoint=aws), [arrival.object]).frame.height == 1
