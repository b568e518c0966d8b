"""Policy:IAMUser/RootCredentialUsage: someone used the credentials of the account's root user.

Not usage of these: calls that an AWS service makes on the account's behalf, root sessions that centralised root
access issues (ShortTermRootCredentialUsage), and sign-ins that failed, which anyone who knows the address can cause.

Source: GuardDuty user guide, IAM finding types.
"""

from __future__ import annotations

import polars as pl

from guardray.detectors.calls import credentials, origin_of
from guardray.detectors.declare import RuleDetector, fires, quiet
from guardray.findings.actions import AwsApiCall
from guardray.findings.details import Details
from guardray.schema import api_activity
from guardray.types import Row

IS_ROOT = pl.col("actor_user_type") == "Root"

ACTS_ITSELF = pl.col("actor_invoked_by").is_null()

IS_SHORT_TERM = pl.col("actor_session_assumed_root").fill_null(False)

_SIGN_IN_OUTCOME = pl.when(pl.col("event_type") == "AwsConsoleSignIn").then("api_response_data")

FAILED_SIGN_IN = _SIGN_IN_OUTCOME.str.contains('"Failure"', literal=True).fill_null(False)


def details(row: Row) -> Details:
    operation = row["api_operation"]
    return Details(
        title=f"API {operation} was invoked using root credentials.",
        description=f"The root user's credentials were used to call {operation} from {origin_of(row)}.",
        resource=credentials(row),
        action=AwsApiCall.of(row),
    )


ROOT_CALL = {"actor_user_type": "Root", "api_operation": "CreateUser", "src_endpoint_ip": "198.51.100.7"}
SIGN_IN = ROOT_CALL | {
    "api_operation": "ConsoleLogin",
    "event_type": "AwsConsoleSignIn",
    "api_response_data": '{"ConsoleLogin": "Success"}',
}

DETECTOR = RuleDetector(
    finding_type="Policy:IAMUser/RootCredentialUsage",
    severity=2.0,
    source="cloudtrail-management",
    schema=api_activity.SCHEMA,
    role="TARGET",
    entity=(),
    where=IS_ROOT & ACTS_ITSELF & IS_SHORT_TERM.not_() & FAILED_SIGN_IN.not_(),
    details=details,
    examples=(
        fires("root creates a user", ROOT_CALL),
        fires("root is denied", ROOT_CALL | {"api_response_error": "AccessDenied"}),
        fires("root signs in", SIGN_IN),
        fires("root reads an object", ROOT_CALL | {"api_operation": "GetObject", "event_category": "Data"}),
        quiet("an IAM user does the same", ROOT_CALL | {"actor_user_type": "IAMUser"}),
        quiet("a service acts for root", ROOT_CALL | {"actor_invoked_by": "support.amazonaws.com"}),
        quiet("the session is a short-term one", ROOT_CALL | {"actor_session_assumed_root": True}),
        quiet("signing in as root fails", SIGN_IN | {"api_response_data": '{"ConsoleLogin": "Failure"}'}),
        quiet("the caller is unknown", ROOT_CALL | {"actor_user_type": None}),
    ),
)
