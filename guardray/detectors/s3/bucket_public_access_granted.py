"""A bucket was opened to strangers by its policy or its ACL.

Policy:S3/BucketAnonymousAccessGranted where everyone gets in, credentials or not;
Policy:S3/BucketPublicAccessGranted where everyone with credentials of any AWS account does, but nobody without.

Policy and ACL are judged together, as they stand after the call, each as it was last set; one that was never seen
counts as private. The call is a finding if what it sets is open that far, or if it opens what was not: deleting a
policy may uncover an ACL. Block Public Access is left out of the verdict. Where an explicit denial makes the outcome
unsure, the bucket's effective permission is UNKNOWN and it is a finding all the same.

Source: GuardDuty user guide, S3 finding types.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from guardray.detectors.acl import as_allows, public_grants
from guardray.detectors.calls import NAMES_A_BUCKET, S3, SUCCEEDED, called, caller_of, credentials, request_of
from guardray.detectors.conditions import Audience
from guardray.detectors.declare import ChangeDetector, Example, Judgement, fires, quiet
from guardray.detectors.policy import Exposure, exposure, parse_policy
from guardray.findings.actions import AwsApiCall
from guardray.findings.details import Details
from guardray.findings.resources import PublicAccess
from guardray.schema import api_activity
from guardray.types import Row

POLICY_CALLS = ("PutBucketPolicy", "DeleteBucketPolicy")
ACL_CALLS = ("PutBucketAcl", "CreateBucket")

State = dict[str, Any]
"""`policy`: the document, null for none; `acl`: what it grants to strangers."""

PRIVATE: State = {"policy": None, "acl": []}


def state_after(row: Row, before: State) -> State | None:
    """The bucket's policy and ACL after the call; None when the bucket is gone."""
    request = request_of(row)
    match row["api_operation"]:
        case "PutBucketPolicy":
            return before | {"policy": request.get("bucketPolicy")}
        case "DeleteBucketPolicy":
            return before | {"policy": None}
        case "PutBucketAcl":
            return before | {"acl": public_grants(request)}
        case "CreateBucket":
            return PRIVATE | {"acl": public_grants(request)}
    return None


def openness(state: State, bucket: str) -> tuple[Exposure, Exposure]:
    """Whom the bucket's policy lets in, and whom its ACL, each under the policy's denials."""
    policy = parse_policy(state["policy"])
    return exposure(policy.allows, policy.denies), exposure(as_allows(state["acl"], bucket), policy.denies)


def judge(target: Audience, row: Row, known: Any) -> Judgement:
    """Fires where the call opens the bucket as far as `target` and no further."""
    before, bucket = known or PRIVATE, row["bucket_name"]
    after = state_after(row, before) if bucket else known
    if after is None or not bucket:
        return Judgement(after)
    by_policy, by_acl = openness(after, bucket)
    widest = max(by_policy.widest, by_acl.widest).audience
    widest_before = max(each.widest for each in openness(before, bucket)).audience
    written = by_policy if row["api_operation"] in POLICY_CALLS else by_acl
    opens = widest == target and (written.widest.audience == target or widest_before < target)
    return Judgement(after, fires=opens, facts=_facts(by_policy, by_acl) if opens else {})


def _facts(by_policy: Exposure, by_acl: Exposure) -> dict[str, Any]:
    together = Exposure(max(by_policy.read, by_acl.read), max(by_policy.write, by_acl.write))
    return {
        "effective_permission": together.effective_permission,
        "acl_read": by_acl.read.audience > Audience.LIMITED,
        "acl_write": by_acl.write.audience > Audience.LIMITED,
        "policy_read": by_policy.read.audience > Audience.LIMITED,
        "policy_write": by_policy.write.audience > Audience.LIMITED,
    }


WHO = {Audience.ANYONE: "anyone without credentials", Audience.AUTHENTICATED: "every user of any AWS account"}


def _rights(access: PublicAccess) -> str:
    can_read, can_write = access.acl_read or access.policy_read, access.acl_write or access.policy_write
    return "read and write" if can_read and can_write else "write" if can_write else "read"


def describer(target: Audience) -> Callable[[Row], Details]:
    def details(row: Row) -> Details:
        bucket, access = row["bucket_name"], PublicAccess(**row["facts"])
        what = f"lets {WHO[target]} {_rights(access)} in bucket {bucket}"
        return Details(
            title=f"Bucket {bucket} was opened to {WHO[target]}.",
            description=f"{caller_of(row)} called {row['api_operation']}, which {what}.",
            resource=credentials(row, access),
            action=AwsApiCall.of(row),
        )

    return details


def detector(finding_type: str, target: Audience, examples: tuple[Example, ...]) -> ChangeDetector:
    return ChangeDetector(
        finding_type=finding_type,
        severity=8.0,
        source="cloudtrail-management",
        schema=api_activity.SCHEMA,
        role="TARGET",
        entity=("bucket_name",),
        where=NAMES_A_BUCKET & SUCCEEDED & called(S3, *POLICY_CALLS, *ACL_CALLS, "DeleteBucket"),
        key=("bucket_name",),
        judge=partial(judge, target),
        details=describer(target),
        examples=examples,
    )


OPEN_POLICY = {
    "api_service_name": S3,
    "api_operation": "PutBucketPolicy",
    "bucket_name": "records",
    "api_request_data": """{"bucketPolicy": {"Statement": [{"Effect": "Allow", "Principal": "*",
        "Action": "s3:GetObject", "Resource": "arn:aws:s3:::records/*"}]}}""",
}
CREDENTIALS_NEEDED = '"Condition": {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*"}}, "Principal": {"AWS": "*"}'
SIGNED_POLICY = OPEN_POLICY | {
    "api_request_data": OPEN_POLICY["api_request_data"].replace('"Principal": "*"', CREDENTIALS_NEEDED)
}
OWN_POLICY = OPEN_POLICY | {
    "api_request_data": OPEN_POLICY["api_request_data"].replace('"*"', '{"AWS": "arn:aws:iam::111122223333:root"}')
}
DENY_ALL = OPEN_POLICY | {
    "api_request_data": """{"bucketPolicy": {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": ["arn:aws:s3:::records", "arn:aws:s3:::records/*"]}]}}""",
}
DELETE_POLICY = OPEN_POLICY | {"api_operation": "DeleteBucketPolicy", "api_request_data": None}
OPEN_ACL = OPEN_POLICY | {"api_operation": "PutBucketAcl", "api_request_data": '{"x-amz-acl": "public-read"}'}
SIGNED_ACL = OPEN_ACL | {"api_request_data": '{"x-amz-acl": "authenticated-read"}'}
PRIVATE_ACL = OPEN_ACL | {"api_request_data": '{"x-amz-acl": "private"}'}
DENIED = {"api_response_error": "AccessDenied"}

DETECTORS = (
    detector(
        "Policy:S3/BucketAnonymousAccessGranted",
        Audience.ANYONE,
        examples=(
            fires("the policy lets everyone read", OPEN_POLICY),
            fires("the ACL lets everyone list", OPEN_ACL),
            fires("a bucket is created open", OPEN_ACL | {"api_operation": "CreateBucket"}),
            fires("an open ACL is uncovered", DENY_ALL, OPEN_ACL, DELETE_POLICY),
            quiet("credentials are needed", SIGNED_POLICY),
            quiet("the policy lets the account itself in", OWN_POLICY),
            quiet("the policy denies what the ACL grants", DENY_ALL, OPEN_ACL),
            quiet("a private ACL is set", PRIVATE_ACL),
            quiet("the call is denied", OPEN_POLICY | DENIED),
            quiet("the policy is unknown", OPEN_POLICY | {"api_request_data": None}),
            quiet("the bucket is unknown", OPEN_POLICY | {"bucket_name": None}),
        ),
    ),
    detector(
        "Policy:S3/BucketPublicAccessGranted",
        Audience.AUTHENTICATED,
        examples=(
            fires("the policy lets every account's users read", SIGNED_POLICY),
            fires("the ACL lets every account's users list", SIGNED_ACL),
            quiet("no credentials are needed", OPEN_POLICY),
            quiet("the policy lets the account itself in", OWN_POLICY),
            quiet("anonymous callers got in already", OPEN_POLICY, SIGNED_ACL),
            quiet("the call is denied", SIGNED_POLICY | DENIED),
            quiet("the policy is unknown", SIGNED_POLICY | {"api_request_data": None}),
        ),
    ),
)
