"""Policy:IAMUser/ShortTermRootCredentialUsage: someone used a root session that centralised root access issued.

Such a session comes from sts AssumeRoot, lasts for minutes and may do a single task only. That GuardDuty's
"restricted" root credentials are these sessions is our reading.

Source: GuardDuty user guide, IAM finding types; IAM user guide, privileged tasks on member accounts.
"""

from __future__ import annotations

from guardray.detectors.calls import credentials, origin_of
from guardray.detectors.declare import RuleDetector, fires, quiet
from guardray.detectors.iam.root_credential_usage import ACTS_ITSELF, IS_SHORT_TERM
from guardray.findings.actions import AwsApiCall
from guardray.findings.details import Details
from guardray.schema import api_activity
from guardray.types import Row


def details(row: Row) -> Details:
    operation = row["api_operation"]
    return Details(
        title=f"API {operation} was invoked using short-term root credentials.",
        description=f"A restricted root session was used to call {operation} from {origin_of(row)}.",
        resource=credentials(row),
        action=AwsApiCall.of(row),
    )


SESSION_CALL = {
    "actor_user_type": "Root",
    "actor_session_assumed_root": True,
    "api_operation": "DeleteBucketPolicy",
    "src_endpoint_ip": "198.51.100.7",
}

DETECTOR = RuleDetector(
    finding_type="Policy:IAMUser/ShortTermRootCredentialUsage",
    severity=2.0,
    source="cloudtrail-management",
    schema=api_activity.SCHEMA,
    role="TARGET",
    entity=(),
    where=IS_SHORT_TERM & ACTS_ITSELF,
    details=details,
    examples=(
        fires("a root session unlocks a bucket", SESSION_CALL),
        quiet("the root user does the same", SESSION_CALL | {"actor_session_assumed_root": False}),
        quiet("a service acts for the session", SESSION_CALL | {"actor_invoked_by": "s3.amazonaws.com"}),
        quiet("the kind of session is unknown", SESSION_CALL | {"actor_session_assumed_root": None}),
    ),
)
