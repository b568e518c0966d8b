"""Policy:S3/AccountBlockPublicAccessDisabled: an account's Block Public Access was switched off, in part or whole.

Source: GuardDuty user guide, S3 finding types; Amazon S3 user guide, CloudTrail events of S3 Control.
"""

from __future__ import annotations

from guardray.detectors.calls import S3, SUCCEEDED, called, caller_of, credentials
from guardray.detectors.declare import ChangeDetector, fires, quiet
from guardray.detectors.public_access_block import judge
from guardray.findings.actions import AwsApiCall
from guardray.findings.details import Details
from guardray.schema import api_activity
from guardray.types import Row

S3_CONTROL = "s3-control.amazonaws.com"

OPERATIONS = ("PutAccountPublicAccessBlock", "DeleteAccountPublicAccessBlock")


def details(row: Row) -> Details:
    return Details(
        title="Block Public Access was disabled for the account.",
        description=f"{caller_of(row)} switched off {', '.join(row['facts']['cleared'])} for all buckets.",
        resource=credentials(row),
        action=AwsApiCall.of(row),
    )


PUT = {
    "cloud_account_uid": "111122223333",
    "api_service_name": S3,
    "api_operation": "PutAccountPublicAccessBlock",
    "api_request_data": """{"PublicAccessBlockConfiguration": {"BlockPublicAcls": false, "IgnorePublicAcls": false,
        "BlockPublicPolicy": false, "RestrictPublicBuckets": false}}""",
}
PUT_ALL_ON = PUT | {"api_request_data": PUT["api_request_data"].replace("false", "true")}
PUT_ONE_OFF = PUT | {"api_request_data": PUT_ALL_ON["api_request_data"].replace("true", "false", 1)}
DELETE = PUT | {"api_operation": "DeleteAccountPublicAccessBlock", "api_request_data": None}

DETECTOR = ChangeDetector(
    finding_type="Policy:S3/AccountBlockPublicAccessDisabled",
    severity=2.0,
    source="cloudtrail-management",
    schema=api_activity.SCHEMA,
    role="TARGET",
    entity=(),
    where=SUCCEEDED & (called(S3, *OPERATIONS) | called(S3_CONTROL, *OPERATIONS)),
    key=("cloud_account_uid",),
    judge=judge,
    details=details,
    examples=(
        fires("all four flags are cleared", PUT),
        fires("one flag is cleared", PUT_ONE_OFF),
        fires("the block is deleted", PUT_ALL_ON, DELETE),
        fires("the service is named otherwise", PUT | {"api_service_name": S3_CONTROL}),
        quiet("all four flags are set", PUT_ALL_ON),
        quiet("the call is denied", PUT | {"api_response_error": "AccessDenied"}),
        quiet("the flags are unknown", PUT | {"api_request_data": None}),
    ),
)
