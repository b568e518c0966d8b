"""`resource`: which of the account's things a finding is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guardray.findings.resources import AccessKey, PublicAccess, Resource, S3Bucket
from guardray.findings.wire.instances import instance_json, instance_of
from guardray.findings.wire.members import Json, known


def resource_json(resource: Resource, partition: str) -> Json:
    """A resource as GuardDuty writes it; the partition is that of the buckets' ARNs."""
    buckets = [_bucket_json(bucket, partition) for bucket in resource.s3_buckets]
    return known(
        resourceType=resource.resource_type,
        accessKeyDetails=None if resource.access_key is None else _access_key_json(resource.access_key),
        s3BucketDetails=buckets or None,
        instanceDetails=None if resource.instance is None else instance_json(resource.instance),
    )


def resource_of(resource: Mapping[str, Any]) -> Resource:
    """The resource that `resource_json` wrote."""
    access_key, instance = resource.get("accessKeyDetails"), resource.get("instanceDetails")
    return Resource(
        resource_type=resource["resourceType"],
        access_key=None if access_key is None else _access_key_of(access_key),
        instance=None if instance is None else instance_of(instance),
        s3_buckets=tuple(_bucket_of(bucket) for bucket in resource.get("s3BucketDetails", ())),
    )


def _access_key_json(key: AccessKey) -> Json:
    return known(
        accessKeyId=key.access_key_id,
        principalId=key.principal_id,
        userName=key.user_name,
        userType=key.user_type,
    )


def _access_key_of(key: Mapping[str, Any]) -> AccessKey:
    return AccessKey(
        user_type=key.get("userType"),
        user_name=key.get("userName"),
        principal_id=key.get("principalId"),
        access_key_id=key.get("accessKeyId"),
    )


def _bucket_json(bucket: S3Bucket, partition: str) -> Json:
    arn = f"arn:{partition}:s3:::{bucket.name}"
    key = bucket.object_key
    return known(
        arn=arn,
        name=bucket.name,
        type="Destination",  # GuardDuty's word for a bucket that calls act upon
        publicAccess=None if bucket.public_access is None else _public_access_json(bucket.public_access),
        s3ObjectDetails=None if key is None else [{"objectArn": f"{arn}/{key}", "key": key}],
    )


def _bucket_of(bucket: Mapping[str, Any]) -> S3Bucket:
    access = bucket.get("publicAccess")
    objects = bucket.get("s3ObjectDetails")
    return S3Bucket(
        name=bucket["name"],
        public_access=None if access is None else _public_access_of(access),
        object_key=objects[0]["key"] if objects else None,
    )


def _public_access_json(access: PublicAccess) -> Json:
    return {
        "permissionConfiguration": {
            "bucketLevelPermissions": {
                "accessControlList": _reads_and_writes(access.acl_read, access.acl_write),
                "bucketPolicy": _reads_and_writes(access.policy_read, access.policy_write),
            }
        },
        "effectivePermission": access.effective_permission,
    }


def _reads_and_writes(read: bool, write: bool) -> Json:
    return {"allowsPublicReadAccess": read, "allowsPublicWriteAccess": write}


def _public_access_of(access: Mapping[str, Any]) -> PublicAccess:
    permissions = access["permissionConfiguration"]["bucketLevelPermissions"]
    acl, policy = permissions["accessControlList"], permissions["bucketPolicy"]
    return PublicAccess(
        effective_permission=access["effectivePermission"],
        acl_read=acl["allowsPublicReadAccess"],
        acl_write=acl["allowsPublicWriteAccess"],
        policy_read=policy["allowsPublicReadAccess"],
        policy_write=policy["allowsPublicWriteAccess"],
    )
