"""Someone on a threat list, or behind the Tor network, called for objects of a bucket.

Discovery:S3/MaliciousIPCaller, .Custom and TorIPCaller for calls that list objects or read what is known about them,
Exfiltration:S3/MaliciousIPCaller for calls that read or copy their content, Impact:S3/MaliciousIPCaller for those that
change or delete them, and UnauthorizedAccess:S3/MaliciousIPCaller.Custom and TorIPCaller for both of the latter. A call
that was denied counts as well.

Source: GuardDuty user guide, S3 finding types; the user guide names two operations for each group.
"""

from __future__ import annotations

import polars as pl

from guardray.detectors.calls import PRINCIPAL, S3, S3_DATA, bucket
from guardray.detectors.declare import Example, IndicatorDetector, fires, quiet
from guardray.detectors.malicious_callers import CALLER_ADDRESS, CATEGORIES, LISTED, describer
from guardray.intel.categories import Category
from guardray.schema import api_activity

CONTENT_READS = ("GetObject", "CopyObject", "GetObjectTorrent", "SelectObjectContent", "UploadPartCopy")
"""Operations that give away what objects hold."""

CHANGES = (
    "PutObject",
    "PostObject",
    "PutObjectAcl",
    "PutObjectTagging",
    "PutObjectRetention",
    "PutObjectLegalHold",
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    "AbortMultipartUpload",
    "DeleteObject",
    "DeleteObjects",
    "DeleteObjectTagging",
    "RenameObject",
    "RestoreObject",
    "UpdateObjectEncryption",
)
"""Operations that change objects or destroy them."""

_OPERATION = pl.col("api_operation")

READS_CONTENT = _OPERATION.is_in(CONTENT_READS)
CHANGES_OBJECTS = _OPERATION.is_in(CHANGES)
DISCOVERS = _OPERATION.is_in((*CONTENT_READS, *CHANGES)).not_()

GROUPS = {
    "Discovery:S3/MaliciousIPCaller": (DISCOVERS, "ListObjects", "GetObject"),
    "Discovery:S3/MaliciousIPCaller.Custom": (DISCOVERS, "GetObjectAcl", "PutObjectAcl"),
    "Discovery:S3/TorIPCaller": (DISCOVERS, "ListObjects", "PutObject"),
    "Exfiltration:S3/MaliciousIPCaller": (READS_CONTENT, "CopyObject", "GetObjectAcl"),
    "Impact:S3/MaliciousIPCaller": (CHANGES_OBJECTS, "PutObjectAcl", "UploadPartCopy"),
    "UnauthorizedAccess:S3/MaliciousIPCaller.Custom": (READS_CONTENT | CHANGES_OBJECTS, "GetObject", "ListObjects"),
    "UnauthorizedAccess:S3/TorIPCaller": (READS_CONTENT | CHANGES_OBJECTS, "GetObject", "GetObjectAcl"),
}
"""Finding type: its operations, one of them, and one of another type's."""

SEVERITIES = {"Discovery:S3/TorIPCaller": 5.0}
"""Those that are not High."""

CALL = {
    "event_category": "Data",
    "api_service_name": S3,
    "actor_user_type": "IAMUser",
    "src_endpoint_ip": LISTED,
    "bucket_name": "records",
    "object_key": "2024/05.csv",
}


def examples(category: Category, operation: str, other: str) -> tuple[Example, ...]:
    call = CALL | {"api_operation": operation}
    listed: dict[str, Category] = {LISTED: category}
    elsewhere: dict[str, Category] = {LISTED: "scanner"}
    return (
        fires(f"{operation} from a listed address", call, indicators=listed),
        fires("the call is denied", call | {"api_response_error": "AccessDenied"}, indicators=listed),
        fires("an old record has no category", call | {"event_category": None}, indicators=listed),
        quiet(f"{other} is another type's", call | {"api_operation": other}, indicators=listed),
        quiet("the call is a management event", call | {"event_category": "Management"}, indicators=listed),
        quiet("the address is on no list", call),
        quiet("the address is on another kind of list", call, indicators=elsewhere),
        quiet("the address is unknown", call | {"src_endpoint_ip": None}, indicators=listed),
        quiet("the operation is unknown", call | {"api_operation": None}, indicators=listed),
    )


def detector(finding_type: str) -> IndicatorDetector:
    operations, operation, other = GROUPS[finding_type]
    category = CATEGORIES[finding_type.partition("/")[2]]
    return IndicatorDetector(
        finding_type=finding_type,
        severity=SEVERITIES.get(finding_type, 8.0),
        source="cloudtrail-s3",
        schema=api_activity.SCHEMA,
        role="TARGET",
        entity=(*PRINCIPAL, "bucket_name"),
        where=S3_DATA & operations,
        indicator=CALLER_ADDRESS,
        categories=(category,),
        details=describer(bucket),
        examples=examples(category, operation, other),
    )


DETECTORS = tuple(map(detector, GROUPS))
