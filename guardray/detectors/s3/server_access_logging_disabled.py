"""Stealth:S3/ServerAccessLoggingDisabled: server access logging of a bucket was switched off.

Logging is switched off by a logging status that enables nothing. Whether it was on before is not asked.

Source: GuardDuty user guide, S3 finding types; Amazon S3 API reference, PutBucketLogging.
"""

from __future__ import annotations

import polars as pl

from guardray.detectors.calls import S3, SUCCEEDED, called, caller_of, credentials
from guardray.detectors.declare import RuleDetector, fires, quiet
from guardray.findings.actions import AwsApiCall
from guardray.findings.details import Details
from guardray.schema import api_activity
from guardray.types import Row

IS_LOGGING_CALL = SUCCEEDED & called(S3, "PutBucketLogging")

_STATUS = pl.when(IS_LOGGING_CALL).then("api_request_data")  # so that only these calls' texts are searched

ENABLES_NOTHING = (
    _STATUS.str.contains("BucketLoggingStatus", literal=True)
    & _STATUS.str.contains("LoggingEnabled", literal=True).not_()
)


def details(row: Row) -> Details:
    return Details(
        title=f"Server access logging of bucket {row['bucket_name']} was disabled.",
        description=f"{caller_of(row)} switched off the server access logging of bucket {row['bucket_name']}.",
        resource=credentials(row),
        action=AwsApiCall.of(row),
    )


SWITCH_OFF = {
    "api_service_name": S3,
    "api_operation": "PutBucketLogging",
    "bucket_name": "records",
    "api_request_data": '{"BucketLoggingStatus": {"xmlns": "http://s3.amazonaws.com/doc/2006-03-01/"}}',
}
SWITCH_ON = '{"BucketLoggingStatus": {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": ""}}}'

DETECTOR = RuleDetector(
    finding_type="Stealth:S3/ServerAccessLoggingDisabled",
    severity=2.0,
    source="cloudtrail-management",
    schema=api_activity.SCHEMA,
    role="TARGET",
    entity=("bucket_name",),
    where=ENABLES_NOTHING,
    details=details,
    examples=(
        fires("the status has a name space only", SWITCH_OFF),
        fires("the status is empty", SWITCH_OFF | {"api_request_data": '{"BucketLoggingStatus": ""}'}),
        quiet("logging is switched on", SWITCH_OFF | {"api_request_data": SWITCH_ON}),
        quiet("the call is denied", SWITCH_OFF | {"api_response_error": "AccessDenied"}),
        quiet("the status is unknown", SWITCH_OFF | {"api_request_data": None}),
    ),
)
