"""Detectors that judge a change by what was known before: what they remember, and for how long."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.context.enrich import enriched_columns
from guardray.detectors.declare import ChangeDetector
from guardray.detectors.iam import cloudtrail_logging_disabled as trails
from guardray.detectors.loader import load_detectors
from guardray.detectors.s3 import bucket_public_access_granted as bucket_access
from guardray.detectors.s3.bucket_block_public_access_disabled import DETECTOR as BLOCK
from guardray.detectors.s3.bucket_block_public_access_disabled import PUT, PUT_ALL_ON, PUT_ONE_OFF
from guardray.schema import api_activity

ANONYMOUS, PUBLIC = bucket_access.DETECTORS
CHANGES = [d for d in load_detectors() if isinstance(d, ChangeDetector) and d.schema is api_activity.SCHEMA]


def full(row: dict[str, Any], **columns: Any) -> dict[str, Any]:
    return (
        dict.fromkeys(enriched_columns(api_activity.SCHEMA))
        | {"time": datetime(2024, 5, 1, tzinfo=UTC)}
        | row
        | columns
    )


def judge_all(detector: ChangeDetector, *rows: dict[str, Any]) -> list[bool]:
    state, fired = None, []
    for row in rows:
        judgement = detector.judge(full(row), state)
        state = json.loads(json.dumps(judgement.state))
        fired.append(judgement.fires)
    return fired


def test_a_flag_of_the_block_is_reported_once_when_it_stays_off():
    assert judge_all(BLOCK, PUT_ONE_OFF, PUT_ONE_OFF, PUT, PUT, PUT_ALL_ON) == [True, False, True, False, False]


def test_a_trail_is_the_same_by_name_and_by_arn():
    by_arn = {"api_request_data": '{"name": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"}'}
    assert judge_all(trails.DETECTOR, trails.STOP, trails.STOP | by_arn) == [True, False]


def test_a_trail_is_another_one_when_only_the_name_is_the_same():
    elsewhere = {"cloud_region": "us-east-1"}
    assert judge_all(trails.DETECTOR, trails.STOP, trails.STOP | elsewhere) == [True, True]


@pytest.mark.parametrize(("hours", "fires"), [(1, True), (24, True), (25, False)])
def test_a_bucket_is_a_trails_for_a_day_after_a_delivery(hours, fires):
    later = {"time": trails.DELIVERY["time"] + timedelta(hours=hours)}
    assert judge_all(trails.DETECTOR, trails.DELIVERY, trails.DELETE_BUCKET | later) == [False, fires]


def test_a_bucket_of_a_stopped_trail_may_be_deleted():
    rows = (trails.CREATE, trails.STOP, trails.DELETE_BUCKET)
    assert judge_all(trails.DETECTOR, *rows) == [False, True, False]


def test_the_bucket_is_the_new_one_when_a_trail_is_pointed_elsewhere():
    moved = trails.UPDATE | {"api_request_data": '{"name": "main", "s3BucketName": "archive"}'}
    rows = (trails.CREATE, moved, trails.DELETE_BUCKET, trails.DELETE_BUCKET | {"bucket_name": "archive"})
    assert judge_all(trails.DETECTOR, *rows) == [False, False, False, True]


def test_a_private_acl_says_nothing_of_a_policy_that_was_open_before():
    rows = (bucket_access.OPEN_POLICY, bucket_access.PRIVATE_ACL)
    assert judge_all(ANONYMOUS, *rows) == [True, False]


def test_a_new_bucket_knows_nothing_of_one_that_had_its_name():
    delete = bucket_access.DELETE_POLICY | {"api_operation": "DeleteBucket"}
    rows = (bucket_access.DENY_ALL, delete, bucket_access.OPEN_ACL)
    assert judge_all(ANONYMOUS, *rows) == [False, False, True]


def test_the_finding_says_which_of_policy_and_acl_is_open():
    state = ANONYMOUS.judge(full(bucket_access.OPEN_POLICY), None).state
    write = json.dumps({"x-amz-grant-write": 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'})
    row = full(bucket_access.OPEN_ACL | {"api_request_data": write})
    row |= {"facts": ANONYMOUS.judge(row, state).facts}
    access = ANONYMOUS.details(row).resource.s3_buckets[0].public_access
    assert (access.policy_read, access.policy_write, access.acl_read, access.acl_write) == (True, False, False, True)
    assert access.effective_permission == "PUBLIC"


def test_no_bucket_is_opened_to_both_audiences_by_one_call():
    for row in (bucket_access.OPEN_POLICY, bucket_access.SIGNED_POLICY, bucket_access.OPEN_ACL):
        assert judge_all(ANONYMOUS, row) != judge_all(PUBLIC, row)


MEMBERS = (
    *("name", "trailName", "eventSelectors", "includeManagementEvents", "dataResources", "s3BucketName"),
    *("isMultiRegionTrail", "bucketPolicy", "Statement", "PublicAccessBlockConfiguration", "BlockPublicAcls"),
    *("minimumPasswordLength", "x-amz-acl", "AccessControlPolicy"),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.parametrize("detector", CHANGES, ids=lambda detector: detector.finding_type)
@given(data=st.data())
def test_any_request_is_judged_without_an_error(detector, data):
    operations = sorted({row["api_operation"] for example in detector.examples for row in example.rows})
    rows = st.builds(
        full,
        st.fixed_dictionaries({"api_operation": st.sampled_from(operations)}),
        api_request_data=json_values.map(json.dumps) | st.text() | st.none(),
        api_response_data=json_values.map(json.dumps) | st.none(),
        bucket_name=st.none() | st.just("records"),
    )
    state = None
    for row in data.draw(st.lists(rows, max_size=4)):
        judgement = detector.judge(row, state)
        state = json.loads(json.dumps(judgement.state))
        if judgement.fires:
            assert detector.details(row | {"facts": judgement.facts}).title
