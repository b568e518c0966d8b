"""What messages say of objects, in every shape in which they come."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.connectors.notifications import Foreign, Notification, ObjectCreated, parse

KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
BUCKETS = st.from_regex(r"[a-z0-9][a-z0-9.-]{1,20}[a-z0-9]", fullmatch=True)
OBJECTS = st.builds(
    ObjectCreated,
    bucket=BUCKETS,
    key=KEYS,
    size=st.integers(0, 1 << 40),
    version_id=st.none() | st.from_regex(r"[A-Za-z0-9._]{5,32}", fullmatch=True).filter(lambda text: text != "null"),
    sequencer=st.from_regex(r"[0-9A-F]{8,18}", fullmatch=True),
)


def record(created: ObjectCreated, event_name: str = "ObjectCreated:Put") -> dict[str, Any]:
    """As S3 puts it into its notifications."""
    stored = {"key": quote_plus(created.key), "size": created.size, "sequencer": created.sequencer}
    if created.version_id is not None:
        stored["versionId"] = created.version_id
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": event_name,
        "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": created.bucket}, "object": stored},
    }


def s3_message(*created: ObjectCreated) -> dict[str, Any]:
    return {"Records": [record(one) for one in created]}


def bridge_event(created: ObjectCreated, detail_type: str = "Object Created") -> dict[str, Any]:
    stored = {"key": created.key, "size": created.size, "sequencer": created.sequencer}
    if created.version_id is not None:
        stored["version-id"] = created.version_id
    detail = {"bucket": {"name": created.bucket}, "object": stored, "reason": "PutObject"}
    return {"version": "0", "source": "aws.s3", "detail-type": detail_type, "detail": detail}


def by_sns(message: dict[str, Any]) -> dict[str, Any]:
    return {
        "Type": "Notification",
        "TopicArn": "arn:aws:sns:eu-west-1:111122223333:logs",
        "Message": json.dumps(message),
    }


def wrapped(message: dict[str, Any], times: int) -> str:
    for _ in range(times):
        message = by_sns(message)
    return json.dumps(message)


TRAIL = ObjectCreated(bucket="trail", key="AWSLogs/a b+ü.json.gz", size=7, version_id="v.1", sequencer="0055AED6DCD9")


@given(created=st.lists(OBJECTS, max_size=5, unique_by=lambda one: (one.bucket, one.key)), times=st.integers(0, 5))
def test_every_object_of_a_notification_is_found_however_often_sns_passed_it_on(created, times):
    assert parse(wrapped(s3_message(*created), times)) == Notification(tuple(created))


@given(created=OBJECTS, times=st.integers(0, 5))
def test_events_of_eventbridge_have_plain_keys(created, times):
    assert parse(wrapped(bridge_event(created), times)) == Notification((created,))


@given(keys=st.lists(KEYS, min_size=1, max_size=3, unique=True))
def test_cloudtrail_itself_tells_of_several_files_at_once(keys):
    message = json.dumps(by_sns({"s3Bucket": "trail", "s3ObjectKey": keys}))
    assert parse(message) == Notification(tuple(ObjectCreated(bucket="trail", key=key) for key in keys))


@given(body=st.text() | st.binary())
def test_no_message_is_too_odd_to_be_answered(body):
    assert isinstance(parse(body), Foreign | Notification)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "Records",
                    "s3",
                    "object",
                    "bucket",
                    "key",
                    "name",
                    "eventName",
                    "Message",
                    "detail",
                    "s3Bucket",
                    "Sns",
                ]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@given(body=JSON)
def test_no_json_with_the_right_words_in_wrong_places_breaks_the_reader(body):
    assert isinstance(parse(json.dumps(body)), Foreign | Notification)


@pytest.mark.parametrize("times", [0, 1])
def test_the_test_event_tells_of_nothing(times):
    test_event = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "trail"}
    assert parse(wrapped(test_event, times)) == Notification()


@pytest.mark.parametrize(
    "message",
    [
        {"Records": [record(TRAIL, "ObjectRemoved:Delete"), record(TRAIL, "ObjectTagging:Put")]},
        bridge_event(TRAIL, "Object Deleted"),
    ],
    ids=["s3", "eventbridge"],
)
def test_other_events_than_creations_tell_of_nothing(message):
    assert parse(json.dumps(message)) == Notification()


def test_an_object_that_was_brought_back_from_an_archive_is_read():
    restored = {"Records": [record(TRAIL, "ObjectRestore:Completed")]}
    assert parse(json.dumps(restored)) == Notification((TRAIL,))


def test_the_latest_of_several_events_of_one_object_counts():
    earlier = ObjectCreated(bucket="trail", key="k", size=1, sequencer="0055AED6DC")
    later = ObjectCreated(bucket="trail", key="k", size=2, sequencer="0055AED6DC01")
    assert later.is_after(earlier)
    assert not earlier.is_after(later)
    for order in ([earlier, later], [later, earlier]):
        assert parse(json.dumps(s3_message(*order))) == Notification((later,))


def test_versions_of_one_object_are_objects_of_their_own():
    versions = [ObjectCreated(bucket="trail", key="k", version_id=name) for name in ("v1", "v2")]
    assert parse(json.dumps(s3_message(*versions))) == Notification(tuple(versions))


def test_the_version_of_a_bucket_that_stopped_keeping_them_is_the_present_one():
    message = s3_message(TRAIL)
    message["Records"][0]["s3"]["object"]["versionId"] = "null"
    assert parse(json.dumps(message)).created[0].version_id is None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("hello", "is no JSON"),
        ("[1]", "is JSON, but no object"),
        ('{"order": 17}', "has no field that tells of objects in S3"),
        ('{"Records": [{"eventSource": "aws:ses"}]}', "has a record that tells of no object in S3"),
        ('{"Records": [7]}', "has a record that is no JSON object"),
        (
            json.dumps({"source": "aws.ec2", "detail": {"state": "running"}}),
            "is an event of 'aws.ec2' that tells of no obj",
        ),
        (json.dumps({"Type": "SubscriptionConfirmation", "Message": "You"}), "is a SubscriptionConfirmation of SNS"),
        (json.dumps({"Records": [{"eventName": "ObjectCreated:Put", "s3": {}}]}), "without the bucket's name"),
        (json.dumps({"Records": [{"s3": {}}]}), "without the name of an event"),
        (json.dumps(s3_message(TRAIL)).replace("a+b", "%FF"), "has a key that is not UTF-8"),
        (wrapped(s3_message(TRAIL), 6), "is wrapped too often"),
    ],
)
def test_a_message_that_is_none_of_ours_says_why(body, reason):
    said = parse(body)
    assert isinstance(said, Foreign)
    assert reason in said.reason
