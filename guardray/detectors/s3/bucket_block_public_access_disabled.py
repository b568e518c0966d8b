"""Policy:S3/BucketBlockPublicAccessDisabled: a bucket's Block Public Access was switched off, in part or whole.

Source: GuardDuty user guide, S3 finding types; Amazon S3 user guide, CloudTrail events of S3.
"""

from __future__ import annotations

from guardray.detectors.calls import NAMES_A_BUCKET, S3, SUCCEEDED, called, caller_of, credentials
from guardray.detectors.declare import ChangeDetector, fires, quiet
from guardray.detectors.public_access_block import judge
from guardray.findings.actions import AwsApiCall
from guardray.findings.details import Details
from guardray.schema import api_activity
from guardray.types import Row


def details(row: Row) -> Details:
    bucket = row["bucket_name"]
    return Details(
        title=f"Block Public Access was disabled for bucket {bucket}.",
        description=f"{caller_of(row)} switched off {', '.join(row['facts']['cleared'])} for bucket {bucket}.",
        resource=credentials(row),
        action=AwsApiCall.of(row),
    )


PUT = {
    "api_service_name": S3,
    "api_operation": "PutBucketPublicAccessBlock",
    "bucket_name": "records",
    "api_request_data": """{"PublicAccessBlockConfiguration": {"BlockPublicAcls": false, "IgnorePublicAcls": false,
        "BlockPublicPolicy": false, "RestrictPublicBuckets": false}}""",
}
PUT_ALL_ON = PUT | {"api_request_data": PUT["api_request_data"].replace("false", "true")}
PUT_ONE_OFF = PUT | {"api_request_data": PUT_ALL_ON["api_request_data"].replace("true", "false", 1)}
DELETE = PUT | {"api_operation": "DeleteBucketPublicAccessBlock", "api_request_data": None}

DETECTOR = ChangeDetector(
    finding_type="Policy:S3/BucketBlockPublicAccessDisabled",
    severity=2.0,
    source="cloudtrail-management",
    schema=api_activity.SCHEMA,
    role="TARGET",
    entity=("bucket_name",),
    where=NAMES_A_BUCKET & SUCCEEDED & called(S3, "PutBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock"),
    key=("bucket_name",),
    judge=judge,
    details=details,
    examples=(
        fires("all four flags are cleared", PUT),
        fires("one flag is cleared", PUT_ONE_OFF),
        fires("the block is removed", PUT_ALL_ON, DELETE),
        quiet("all four flags are set", PUT_ALL_ON),
        quiet("the call is denied", PUT | {"api_response_error": "AccessDenied"}),
        quiet("the flags are unknown", PUT | {"api_request_data": None}),
    ),
)
