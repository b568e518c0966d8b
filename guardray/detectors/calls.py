"""What detectors over API calls share: the calls they look at, and the caller and bucket of a call."""

from __future__ import annotations

from typing import Any

import msgspec
import polars as pl

from guardray.findings.resources import AccessKey, PublicAccess, Resource, S3Bucket
from guardray.types import Row

IAM = "iam.amazonaws.com"
S3 = "s3.amazonaws.com"

PRINCIPAL = ("actor_principal",)
"""Entity of findings about a caller: the role rather than its sessions. Enrichment adds the column."""

SUCCEEDED = pl.col("api_response_error").is_null()

NAMES_A_BUCKET = pl.col("bucket_name").is_not_null()
"""What is known of a bucket must not be mixed with what is known of another."""

OWN_CREDENTIALS = (pl.col("actor_user_account_uid") != pl.col("cloud_account_uid")).fill_null(False).not_()
"""The caller belongs to the account that got the record. A call across accounts is recorded in both of them, and
credentials are one account's only. A caller whose account is unknown is taken for the account's own."""

_IS_S3 = pl.col("api_service_name") == S3

_UNCATEGORISED = pl.when(pl.col("event_category").is_null()).then(pl.col("api_operation"))

_NAMES_OBJECTS = (_IS_S3 & _UNCATEGORISED.str.contains("^[A-Z][a-z]+(Object|Multipart|Part)")).fill_null(False)
"""S3 calls for objects in old trails, whose records have no category: told by the operation's name."""

S3_DATA = (_IS_S3 & (pl.col("event_category") == "Data")) | _NAMES_OBJECTS

MANAGEMENT = (pl.col("event_category") == "Management") | (pl.col("event_category").is_null() & _NAMES_OBJECTS.not_())


def called(service: str, *operations: str) -> pl.Expr:
    """Calls of these operations of a service, whatever came of them."""
    return (pl.col("api_service_name") == service) & pl.col("api_operation").is_in(operations)


def request_of(row: Row) -> dict[str, Any]:
    """The parameters of a call; empty where they are unknown or not an object."""
    return _json_object(row["api_request_data"])


def response_of(row: Row) -> dict[str, Any]:
    """The response of a call; empty where there is none, which is so for every call that only reads."""
    return _json_object(row["api_response_data"])


def _json_object(text: str | None) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(text or "{}")
    except (msgspec.DecodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def caller_of(row: Row) -> str:
    """Who called, in words."""
    kind, name = row["actor_user_type"], row["actor_user_name"]
    if kind == "Root":
        return "the root user"
    if kind == "AssumedRole" and name:
        return f"role {name}"
    if name:
        return f"user {name}"
    return f"principal {row['actor_user_uid'] or row['actor_user_uid_alt'] or 'unknown'}"


def origin_of(row: Row) -> str:
    """Where a call came from, in words: an address or the name of an AWS service."""
    return row["src_endpoint_ip"] or row["src_endpoint_domain"] or "an unknown address"


def credentials(row: Row, public_access: PublicAccess | None = None) -> Resource:
    """The caller's credentials as the resource, with the bucket that the call named beside them."""
    bucket = row["bucket_name"]
    buckets = (S3Bucket(name=bucket, public_access=public_access),) if bucket else ()
    return Resource(resource_type="AccessKey", access_key=AccessKey.of(row), s3_buckets=buckets)


def bucket(row: Row) -> Resource:
    """The bucket as the resource, with the caller's credentials beside it: the form of S3 data events."""
    name = row["bucket_name"]
    buckets = (S3Bucket(name=name, object_key=row["object_key"]),) if name else ()
    return Resource(resource_type="S3Bucket", access_key=AccessKey.of(row), s3_buckets=buckets)
