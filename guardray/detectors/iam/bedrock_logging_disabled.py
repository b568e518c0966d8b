"""DefenseEvasion:IAMUser/BedrockLoggingDisabled: logging of Bedrock model invocations was switched off in a Region.

Source: GuardDuty user guide, IAM finding types; it does not name the API, which is Bedrock's only one that deletes
the logging configuration.
"""

from __future__ import annotations

from guardray.detectors.calls import SUCCEEDED, called, caller_of, credentials
from guardray.detectors.declare import RuleDetector, fires, quiet
from guardray.findings.actions import AwsApiCall
from guardray.findings.details import Details
from guardray.schema import api_activity
from guardray.types import Row

BEDROCK = "bedrock.amazonaws.com"


def details(row: Row) -> Details:
    return Details(
        title="Amazon Bedrock model invocation logging was disabled.",
        description=f"{caller_of(row)} switched off the logging of model invocations in {row['cloud_region']}.",
        resource=credentials(row),
        action=AwsApiCall.of(row),
    )


SWITCH_OFF = {
    "api_service_name": BEDROCK,
    "api_operation": "DeleteModelInvocationLoggingConfiguration",
    "actor_user_type": "IAMUser",
}

DETECTOR = RuleDetector(
    finding_type="DefenseEvasion:IAMUser/BedrockLoggingDisabled",
    severity=5.0,
    source="cloudtrail-management",
    schema=api_activity.SCHEMA,
    role="TARGET",
    entity=(),
    where=SUCCEEDED & called(BEDROCK, "DeleteModelInvocationLoggingConfiguration"),
    details=details,
    examples=(
        fires("the logging configuration is deleted", SWITCH_OFF),
        quiet("deleting is denied", SWITCH_OFF | {"api_response_error": "AccessDeniedException"}),
        quiet("it is only read", SWITCH_OFF | {"api_operation": "GetModelInvocationLoggingConfiguration"}),
        quiet("the operation is unknown", SWITCH_OFF | {"api_operation": None}),
    ),
)
