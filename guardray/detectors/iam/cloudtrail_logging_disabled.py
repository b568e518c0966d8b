"""Stealth:IAMUser/CloudTrailLoggingDisabled: a trail no longer logs, or logs less than it did.

It fires when a trail is stopped or deleted, when an update takes Regions, global services or the organisation out of
it, when its event selectors leave nothing to log, and when the bucket that it delivers to is deleted. Only calls that
succeeded count, and stopping a trail that is known to be stopped changes nothing.

Which buckets belong to trails is learned from the calls that create and update trails, and from CloudTrail's own
`GetBucketAcl` calls ahead of each delivery. `DescribeTrails` and `GetTrail` would tell, but CloudTrail keeps no
responses of calls that only read.

Source: GuardDuty user guide, IAM finding types; CloudTrail API reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from guardray.detectors.calls import S3, SUCCEEDED, called, caller_of, credentials, request_of, response_of
from guardray.detectors.declare import ChangeDetector, Judgement, fires, quiet
from guardray.findings.actions import AwsApiCall
from guardray.findings.details import Details
from guardray.schema import api_activity
from guardray.types import Row

CLOUDTRAIL = "cloudtrail.amazonaws.com"

DELIVERY_FRESH_S = timedelta(days=1).total_seconds()
"""A bucket counts as a trail's for so long after the last delivery. CloudTrail delivers about every five minutes where
there is something to deliver; a day bridges quiet times. A bucket that is cleaned up later than that is no finding."""

SCOPE_IF_UNKNOWN = {"isMultiRegionTrail": True, "includeGlobalServiceEvents": True, "isOrganizationTrail": False}
"""The flags that widen a trail, as the console sets them: what a trail is taken for when its creation was not seen."""

State = dict[str, Any]
"""`trails`: by Region and name, `bucket`, `logging` and the flags; `deliveries`: by bucket, the last one's time."""


def judge(row: Row, known: Any) -> Judgement:
    """Applies the call to what is known of the account's trails; a reason says that logging was reduced."""
    state: State = known or {"trails": {}, "deliveries": {}}
    reason = _EFFECTS[row["api_operation"]](row, state)
    return Judgement(state, fires=reason is not None, facts={"reason": reason})


def _trail_id(row: Row) -> str:
    """Region and name of the trail that a request names by ARN or, in its home Region, by name alone."""
    request = request_of(row)
    named = str(request.get("name") or request.get("trailName") or "")
    if named.startswith("arn:"):
        _, _, _, region, _, resource = f"{named}:::::".split(":")[:6]
        return f"{region}/{resource.removeprefix('trail/')}"
    return f"{row['cloud_region']}/{named}"


def _set(row: Row, state: State) -> None:
    trail = state["trails"].setdefault(_trail_id(row), {})
    told = request_of(row) | response_of(row)
    trail.update({flag: told[flag] for flag in SCOPE_IF_UNKNOWN if isinstance(told.get(flag), bool)})
    if isinstance(told.get("s3BucketName"), str):
        trail["bucket"] = told["s3BucketName"]


def _create(row: Row, state: State) -> None:
    state["trails"].pop(_trail_id(row), None)
    _set(row, state)


def _update(row: Row, state: State) -> str | None:
    before = SCOPE_IF_UNKNOWN | state["trails"].get(_trail_id(row), {})
    request = request_of(row)
    _set(row, state)
    dropped = [flag for flag in SCOPE_IF_UNKNOWN if before[flag] and request.get(flag) is False]
    return f"it was updated to log less ({', '.join(dropped)} switched off)" if dropped else None


def _start(row: Row, state: State) -> None:
    state["trails"].setdefault(_trail_id(row), {})["logging"] = True


def _stop(row: Row, state: State) -> str | None:
    trail = state["trails"].setdefault(_trail_id(row), {})
    was_logging, trail["logging"] = trail.get("logging", True), False
    return "it was stopped" if was_logging else None


def _delete(row: Row, state: State) -> str:
    state["trails"].pop(_trail_id(row), None)
    return "it was deleted"


def _select(row: Row, state: State) -> str | None:
    selectors = request_of(row).get("eventSelectors")
    if not isinstance(selectors, list) or not selectors:
        return None
    return None if any(map(_selects, selectors)) else "its event selectors leave nothing to log"


def _selects(selector: Any) -> bool:
    if not isinstance(selector, dict):
        return True
    return selector.get("includeManagementEvents") is not False or bool(selector.get("dataResources"))


def _deliver(row: Row, state: State) -> None:
    if row["bucket_name"] and row["time"]:
        state["deliveries"][row["bucket_name"]] = row["time"].timestamp()


def _delete_bucket(row: Row, state: State) -> str | None:
    bucket = row["bucket_name"]
    delivered = state["deliveries"].pop(bucket, None)
    is_fresh = delivered is not None and row["time"].timestamp() - delivered <= DELIVERY_FRESH_S
    is_trails = any(t.get("bucket") == bucket and t.get("logging", True) for t in state["trails"].values())
    return "the bucket that receives its logs was deleted" if bucket and (is_fresh or is_trails) else None


_EFFECTS: Mapping[str, Callable[[Row, State], str | None]] = {
    "CreateTrail": _create,
    "UpdateTrail": _update,
    "StartLogging": _start,
    "StopLogging": _stop,
    "DeleteTrail": _delete,
    "PutEventSelectors": _select,
    "DeleteBucket": _delete_bucket,
    "GetBucketAcl": _deliver,
}


def details(row: Row) -> Details:
    request = request_of(row)
    what = request.get("name") or request.get("trailName") or row["bucket_name"] or "unknown"
    return Details(
        title=f"CloudTrail logging was reduced by {row['api_operation']}.",
        description=f"{caller_of(row)} reduced what a trail logs ({what}): {row['facts']['reason']}.",
        resource=credentials(row),
        action=AwsApiCall.of(row),
    )


STOP = {
    "time": datetime(2024, 5, 1, 12, tzinfo=UTC),
    "cloud_account_uid": "111122223333",
    "cloud_region": "eu-west-1",
    "api_service_name": CLOUDTRAIL,
    "api_operation": "StopLogging",
    "api_request_data": '{"name": "main"}',
    "actor_user_type": "IAMUser",
    "actor_user_name": "mallory",
}
START = STOP | {"api_operation": "StartLogging"}
UPDATE = STOP | {"api_operation": "UpdateTrail"}
ONE_REGION = UPDATE | {"api_request_data": '{"name": "main", "isMultiRegionTrail": false}'}
CREATE = STOP | {
    "api_operation": "CreateTrail",
    "api_response_data": """{"name": "main", "s3BucketName": "logs", "isMultiRegionTrail": false,
        "trailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"}""",
}
SELECT = STOP | {"api_operation": "PutEventSelectors"}
NOTHING = '{"trailName": "main", "eventSelectors": [{"includeManagementEvents": false, "dataResources": []}]}'
DELIVERY = STOP | {
    "api_service_name": S3,
    "api_operation": "GetBucketAcl",
    "actor_invoked_by": CLOUDTRAIL,
    "bucket_name": "logs",
    "api_request_data": None,
}
DELETE_BUCKET = DELIVERY | {"api_operation": "DeleteBucket", "actor_invoked_by": None}

DETECTOR = ChangeDetector(
    finding_type="Stealth:IAMUser/CloudTrailLoggingDisabled",
    severity=2.0,
    source="cloudtrail-management",
    schema=api_activity.SCHEMA,
    role="TARGET",
    entity=(),
    where=SUCCEEDED
    & (
        called(CLOUDTRAIL, "CreateTrail", "UpdateTrail", "StartLogging", "StopLogging", "DeleteTrail")
        | called(CLOUDTRAIL, "PutEventSelectors")
        | called(S3, "DeleteBucket")
        | (called(S3, "GetBucketAcl") & (pl.col("actor_invoked_by") == CLOUDTRAIL))
    ),
    key=("cloud_account_uid",),
    judge=judge,
    details=details,
    tunables={"delivery_fresh_s": DELIVERY_FRESH_S},
    examples=(
        fires("a trail is stopped", STOP),
        fires("a trail is deleted", STOP | {"api_operation": "DeleteTrail"}),
        fires("a trail is cut to one Region", ONE_REGION),
        fires("a trail is left nothing to log", SELECT | {"api_request_data": NOTHING}),
        fires("the bucket of a trail that was created is deleted", CREATE, DELETE_BUCKET),
        fires("the bucket that CloudTrail delivers to is deleted", DELIVERY, DELETE_BUCKET),
        fires("a trail is stopped, started and stopped again", STOP, START, STOP),
        fires("a trail that the log cannot name is stopped", STOP | {"api_request_data": None}),
        quiet("stopping is denied", STOP | {"api_response_error": "AccessDenied"}),
        quiet("a trail of one Region stays one", CREATE, ONE_REGION),
        quiet("an update says nothing about the trail's scope", UPDATE),
        quiet("what an update changes is unknown", UPDATE | {"api_request_data": None}),
        quiet("management events stay selected", SELECT | {"api_request_data": NOTHING.replace("false", "true")}),
        quiet("another bucket is deleted", DELIVERY, DELETE_BUCKET | {"bucket_name": "scratch"}),
        quiet("the bucket is unknown", DELIVERY, DELETE_BUCKET | {"bucket_name": None}),
        quiet("the bucket is another account's", DELIVERY, DELETE_BUCKET | {"cloud_account_uid": "444455556666"}),
        quiet("a caller looks at a bucket that he deletes", DELIVERY | {"actor_invoked_by": None}, DELETE_BUCKET),
    ),
)
