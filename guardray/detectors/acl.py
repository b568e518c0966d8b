"""Bucket ACLs: which of the two groups of strangers a `PutBucketAcl` or `CreateBucket` request lets in, and to what.

S3 takes three forms: a canned ACL, a list of grants in the body, and grants in headers.

Source: Amazon S3 user guide, access control list overview (canned ACLs, predefined groups, permissions).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from guardray.detectors.conditions import Audience
from guardray.detectors.policy import Allow, Patterns

Permission = str
"""READ, WRITE, READ_ACP, WRITE_ACP or FULL_CONTROL."""

_GROUPS = {
    "http://acs.amazonaws.com/groups/global/AllUsers": Audience.ANYONE,
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers": Audience.AUTHENTICATED,
}

_CANNED: dict[str, tuple[tuple[Audience, Permission], ...]] = {
    "public-read": ((Audience.ANYONE, "READ"),),
    "public-read-write": ((Audience.ANYONE, "READ"), (Audience.ANYONE, "WRITE")),
    "authenticated-read": ((Audience.AUTHENTICATED, "READ"),),
}

_HEADERS: dict[str, Permission] = {
    "x-amz-grant-read": "READ",
    "x-amz-grant-write": "WRITE",
    "x-amz-grant-read-acp": "READ_ACP",
    "x-amz-grant-write-acp": "WRITE_ACP",
    "x-amz-grant-full-control": "FULL_CONTROL",
}

_ACTIONS: dict[Permission, tuple[str, ...]] = {
    "READ": ("s3:listbucket", "s3:listbucketversions", "s3:listbucketmultipartuploads"),
    "WRITE": ("s3:putobject", "s3:deleteobject", "s3:deleteobjectversion"),
    "READ_ACP": ("s3:getbucketacl",),
    "WRITE_ACP": ("s3:putbucketacl",),
}

_OBJECT_PERMISSIONS = ("WRITE",)  # the others are about the bucket itself


def public_grants(request: dict[str, Any]) -> list[tuple[Audience, Permission]]:
    """What the request grants to strangers, sorted, without repeats; empty for a private ACL."""
    found = set(_canned(request)) | set(_in_headers(request)) | set(_in_body(request))
    return sorted(found)


def as_allows(grants: list[tuple[Audience, Permission]], bucket: str) -> Iterator[Allow]:
    """The same grants as statements of a policy, so that its denials can be held against them."""
    for audience, permission in grants:
        for single in _ACTIONS if permission == "FULL_CONTROL" else [permission]:
            resource = f"{bucket}/*" if single in _OBJECT_PERMISSIONS else bucket
            yield Allow(Audience(audience), Patterns(_ACTIONS.get(single, ())), Patterns((resource,)))


def _canned(request: dict[str, Any]) -> Iterator[tuple[Audience, Permission]]:
    for name in _texts(request.get("x-amz-acl")):
        yield from _CANNED.get(name, ())


def _in_headers(request: dict[str, Any]) -> Iterator[tuple[Audience, Permission]]:
    for header, permission in _HEADERS.items():
        for text in _texts(request.get(header)):
            for uri in re.findall(r'uri\s*=\s*"?([^",\s]+)', text, re.IGNORECASE):
                if uri in _GROUPS:
                    yield _GROUPS[uri], permission


def _in_body(request: dict[str, Any]) -> Iterator[tuple[Audience, Permission]]:
    listed = _object(_object(request.get("AccessControlPolicy")).get("AccessControlList")).get("Grant")
    for grant in map(_object, listed if isinstance(listed, list) else [listed]):
        uri, permission = _object(grant.get("Grantee")).get("URI"), grant.get("Permission")
        if isinstance(uri, str) and uri in _GROUPS and permission in (*_ACTIONS, "FULL_CONTROL"):
            yield _GROUPS[uri], permission


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> list[str]:
    return [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]
