"""Stealth:IAMUser/PasswordPolicyChange: the account's password policy was made weaker than it was before.

The policy before is the one that the account last set, as far as the log tells. Where it does not, IAM's own default
policy is taken: most accounts never set another. Reading the policy teaches nothing, since CloudTrail keeps no
responses of calls that only read. Attempts that failed count too, but change nothing that is known.

Source: GuardDuty user guide, IAM finding types. How the severity follows from the change is not published.
"""

from __future__ import annotations

from typing import Any

import msgspec

from guardray.detectors.calls import IAM, called, caller_of, credentials
from guardray.detectors.declare import ChangeDetector, Judgement, fires, quiet
from guardray.detectors.password_policy import AWS_DEFAULT, PasswordPolicy, parse_policy, weakened
from guardray.findings.actions import AwsApiCall
from guardray.findings.details import Details
from guardray.schema import api_activity
from guardray.types import Row

SEVERITY_BY_WEAKENED = {1: 2.0, 2: 5.0}
"""One demand lowered may be a trade of one protection for another; two are a policy being taken apart."""

SEVERITY_BEYOND = 8.0
"""Three or all four demands lowered, or the policy deleted: nothing of it is left."""


def judge(row: Row, known: Any) -> Judgement:
    """Compares the policy asked for with the one before. The state is `{"policy": settings or null for none}`."""
    deletes = row["api_operation"] == "DeleteAccountPasswordPolicy"
    new = None if deletes else parse_policy(row["api_request_data"])
    if new is None and not deletes:
        return Judgement(known)
    old = msgspec.convert(known["policy"], PasswordPolicy | None) if known else None
    lowered = weakened(old.demands if old else AWS_DEFAULT, new.demands if new else AWS_DEFAULT)
    failed = row["api_response_error"] is not None
    return Judgement(
        state=known if failed else {"policy": msgspec.to_builtins(new)},
        fires=bool(lowered) or (deletes and known is None and not _had_no_policy(row)),
        facts={
            "weakened": list(lowered),
            "severity": SEVERITY_BEYOND if deletes else SEVERITY_BY_WEAKENED.get(len(lowered), SEVERITY_BEYOND),
            "old_policy": msgspec.to_builtins(old),
            "new_policy": msgspec.to_builtins(new),
        },
    )


def _had_no_policy(row: Row) -> bool:
    return str(row["api_response_error"]).startswith("NoSuchEntity")


def details(row: Row) -> Details:
    facts = row["facts"]
    what = ", ".join(facts["weakened"]).replace("_", " ") or "all it demanded beyond the default"
    policies = {"newPolicy": facts["new_policy"], "oldPolicy": facts["old_policy"]}
    return Details(
        title="The account's password policy was weakened.",
        description=f"{caller_of(row)} called {row['api_operation']}, which lowers what passwords need: {what}.",
        resource=credentials(row),
        action=AwsApiCall.of(row),
        severity=facts["severity"],
        additional_info={name: policy for name, policy in policies.items() if policy is not None},
    )


STRONG = """{"minimumPasswordLength": 14, "requireSymbols": true, "requireNumbers": true, "maxPasswordAge": 90,
 "requireUppercaseCharacters": true, "requireLowercaseCharacters": true, "passwordReusePrevention": 24}"""
SHORTER = STRONG.replace("14", "8")
SHORTER_AND_ETERNAL = SHORTER.replace(', "maxPasswordAge": 90', "")
BARE = '{"minimumPasswordLength": 6}'

SET_STRONG = {
    "cloud_account_uid": "111122223333",
    "api_service_name": IAM,
    "api_operation": "UpdateAccountPasswordPolicy",
    "api_request_data": STRONG,
    "actor_user_type": "IAMUser",
}
DELETE = SET_STRONG | {"api_operation": "DeleteAccountPasswordPolicy", "api_request_data": None}

DETECTOR = ChangeDetector(
    finding_type="Stealth:IAMUser/PasswordPolicyChange",
    severity=2.0,
    source="cloudtrail-management",
    schema=api_activity.SCHEMA,
    role="TARGET",
    entity=(),
    where=called(IAM, "UpdateAccountPasswordPolicy", "DeleteAccountPasswordPolicy"),
    key=("cloud_account_uid",),
    judge=judge,
    details=details,
    examples=(
        fires("the minimum length is cut", SET_STRONG, SET_STRONG | {"api_request_data": SHORTER}, severity=2.0),
        fires(
            "passwords get shorter and live for ever",
            SET_STRONG,
            SET_STRONG | {"api_request_data": SHORTER_AND_ETERNAL},
            severity=5.0,
        ),
        fires("all but the length is dropped", SET_STRONG, SET_STRONG | {"api_request_data": BARE}, severity=8.0),
        fires("the first policy seen is below the default", SET_STRONG | {"api_request_data": BARE}, severity=5.0),
        fires("a strong policy is deleted", SET_STRONG, DELETE, severity=8.0),
        fires("a policy that nobody saw is deleted", DELETE, severity=8.0),
        fires("an attempt is denied", SET_STRONG | {"api_request_data": BARE, "api_response_error": "AccessDenied"}),
        quiet("the first policy seen is above the default", SET_STRONG),
        quiet("the policy is made stronger", SET_STRONG | {"api_request_data": SHORTER}, SET_STRONG),
        quiet("there was no policy to delete", DELETE | {"api_response_error": "NoSuchEntityException"}),
        quiet("the policy asked for is unknown", SET_STRONG, SET_STRONG | {"api_request_data": None}),
    ),
)
