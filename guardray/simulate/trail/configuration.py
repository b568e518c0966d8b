"""Calls that set the configuration which detectors watch, in the shapes that CloudTrail records them in."""

from __future__ import annotations

from typing import Any

from guardray.simulate.trail.events import Call, bucket_call
from guardray.simulate.world import Account, Bucket, Trail

S3_XML = "http://s3.amazonaws.com/doc/2006-03-01/"
S3_CONTROL_XML = "http://awss3control.amazonaws.com/doc/2018-08-20/"
ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED_USERS = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"

STRONG_PASSWORDS = {
    "minimumPasswordLength": 14,
    "requireSymbols": True,
    "requireNumbers": True,
    "requireUppercaseCharacters": True,
    "requireLowercaseCharacters": True,
    "allowUsersToChangePassword": True,
    "maxPasswordAge": 90,
    "passwordReusePrevention": 24,
    "hardExpiry": False,
}


def create_trail(trail: Trail) -> Call:
    """A trail of all Regions."""
    settings = {
        "name": trail.name,
        "s3BucketName": trail.bucket.name,
        "includeGlobalServiceEvents": True,
        "isMultiRegionTrail": True,
        "isOrganizationTrail": False,
    }
    request = {**settings, "enableLogFileValidation": True}
    return Call(
        "cloudtrail", "CreateTrail", request, {**settings, "trailARN": trail.arn, "logFileValidationEnabled": True}
    )


def update_trail(trail: Trail, **changes: Any) -> Call:
    """Change settings of a trail."""
    response = {"name": trail.name, "trailARN": trail.arn, "s3BucketName": trail.bucket.name, **changes}
    return Call("cloudtrail", "UpdateTrail", {"name": trail.arn, **changes}, response)


def about_trail(name: str, trail: Trail) -> Call:
    """StartLogging, StopLogging or DeleteTrail."""
    return Call("cloudtrail", name, {"name": trail.arn})


def password_policy(**changes: Any) -> Call:
    """UpdateAccountPasswordPolicy to the strong policy with these changes."""
    return Call("iam", "UpdateAccountPasswordPolicy", {**STRONG_PASSWORDS, **changes})


def _block(on: bool, xmlns: str) -> dict[str, Any]:
    names = ("RestrictPublicBuckets", "BlockPublicPolicy", "BlockPublicAcls", "IgnorePublicAcls")
    return {"xmlns": xmlns, **dict.fromkeys(names, on)}


def account_block(account: Account, on: bool) -> Call:
    """PutAccountPublicAccessBlock with all four flags on or off."""
    request = {
        "publicAccessBlock": "",
        "Host": f"{account.id}.s3-control.{account.region}.amazonaws.com",
        "PublicAccessBlockConfiguration": _block(on, S3_CONTROL_XML),
        "accountId": account.id,
    }
    return Call("s3", "PutAccountPublicAccessBlock", request)


def delete_account_block(account: Account) -> Call:
    """DeleteAccountPublicAccessBlock."""
    host = f"{account.id}.s3-control.{account.region}.amazonaws.com"
    return Call(
        "s3", "DeleteAccountPublicAccessBlock", {"publicAccessBlock": "", "Host": host, "accountId": account.id}
    )


def bucket_block(account: Account, bucket: Bucket, on: bool) -> Call:
    """PutBucketPublicAccessBlock with all four flags on or off."""
    settings = _block(on, S3_XML)
    return bucket_call(
        account, "PutBucketPublicAccessBlock", bucket, publicAccessBlock="", PublicAccessBlockConfiguration=settings
    )


def bucket_policy(account: Account, bucket: Bucket, *statements: dict[str, Any]) -> Call:
    """PutBucketPolicy with these statements."""
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return bucket_call(account, "PutBucketPolicy", bucket, policy="", bucketPolicy=document)


def read_statement(bucket: Bucket, principal: Any, condition: dict[str, Any] | None = None) -> dict[str, Any]:
    """A statement that lets a principal read objects."""
    found = {
        "Sid": "Read",
        "Effect": "Allow",
        "Principal": principal,
        "Action": "s3:GetObject",
        "Resource": f"{bucket.arn}/*",
    }
    return {**found, "Condition": condition} if condition else found


def tls_statement(bucket: Bucket) -> dict[str, Any]:
    """A statement that denies everyone what is not encrypted on its way."""
    return {
        "Sid": "OnlyTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket.arn, f"{bucket.arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def canned_acl(account: Account, bucket: Bucket, name: str) -> Call:
    """PutBucketAcl by header."""
    return bucket_call(account, "PutBucketAcl", bucket, **{"acl": "", "x-amz-acl": name})


def group_acl(account: Account, bucket: Bucket, group: str, permission: str) -> Call:
    """PutBucketAcl with a body that leaves the owner everything and grants a group one permission."""
    owner = f"{int(account.id):064x}"
    schema = "http://www.w3.org/2001/XMLSchema-instance"
    grants = [
        {"Grantee": {"xsi:type": "CanonicalUser", "xmlns:xsi": schema, "ID": owner}, "Permission": "FULL_CONTROL"},
        {"Grantee": {"xsi:type": "Group", "xmlns:xsi": schema, "URI": group}, "Permission": permission},
    ]
    document = {"xmlns": S3_XML, "Owner": {"ID": owner}, "AccessControlList": {"Grant": grants}}
    return bucket_call(account, "PutBucketAcl", bucket, acl="", AccessControlPolicy=document)


def access_logging(account: Account, bucket: Bucket, target: Bucket | None) -> Call:
    """PutBucketLogging to a target bucket, or off."""
    status: dict[str, Any] = {"xmlns": S3_XML}
    if target:
        status["LoggingEnabled"] = {"TargetBucket": target.name, "TargetPrefix": f"access/{bucket.name}/"}
    return bucket_call(account, "PutBucketLogging", bucket, logging="", BucketLoggingStatus=status)


def invocation_logging(account: Account, bucket: Bucket) -> Call:
    """Switch Bedrock's model invocation logging on."""
    config = {"s3Config": {"bucketName": bucket.name, "keyPrefix": "bedrock"}, "textDataDeliveryEnabled": True}
    return Call("bedrock", "PutModelInvocationLoggingConfiguration", {"loggingConfig": config})
