"""Names of attributes: which there can be, which have a column of their own, and which an index knows by value."""

from __future__ import annotations

import re
from typing import Literal

from guardray.errors import QueryRefusedError

ColumnKind = Literal["text", "number", "time", "truth"]

COLUMNS: dict[str, tuple[str, ColumnKind]] = {
    "accountId": ("account_id", "text"),
    "region": ("region", "text"),
    "id": ("finding_id", "text"),
    "type": ("type", "text"),
    "severity": ("severity", "number"),
    "createdAt": ("created_at", "time"),
    "updatedAt": ("updated_at", "time"),
    "resource.resourceType": ("resource_type", "text"),
    "service.archived": ("archived", "truth"),
    "service.count": ("count", "number"),
    "service.eventFirstSeen": ("event_first_seen", "time"),
    "service.eventLastSeen": ("event_last_seen", "time"),
}
"""Columns of `finding_index` that repeat an attribute."""

FURTHER_COLUMNS: dict[str, tuple[str, ColumnKind]] = {
    "service.detectorId": ("detector_id", "text"),
    "service.userFeedback": ("user_feedback", "text"),
}
"""Columns of `findings` for attributes that are seldom asked for."""

_API_CALL = "service.action.awsApiCallAction"
_CONNECTION = "service.action.networkConnectionAction"
_INTERFACES = "resource.instanceDetails.networkInterfaces"

INDEXED: dict[str, int] = {
    "resource.accessKeyDetails.accessKeyId": 1,
    "resource.accessKeyDetails.principalId": 2,
    "resource.accessKeyDetails.userName": 3,
    "resource.instanceDetails.instanceId": 10,
    "resource.instanceDetails.imageId": 11,
    "resource.instanceDetails.iamInstanceProfile.id": 12,
    "resource.instanceDetails.tags.key": 13,
    "resource.instanceDetails.tags.value": 14,
    f"{_INTERFACES}.ipv6Addresses": 20,
    f"{_INTERFACES}.privateIpAddresses.privateIpAddress": 21,
    f"{_INTERFACES}.publicDnsName": 22,
    f"{_INTERFACES}.publicIp": 23,
    f"{_INTERFACES}.securityGroups.groupId": 24,
    f"{_INTERFACES}.securityGroups.groupName": 25,
    f"{_INTERFACES}.subnetId": 26,
    f"{_INTERFACES}.vpcId": 27,
    "resource.s3BucketDetails.name": 30,
    f"{_API_CALL}.api": 40,
    f"{_API_CALL}.serviceName": 41,
    f"{_API_CALL}.remoteIpDetails.city.cityName": 42,
    f"{_API_CALL}.remoteIpDetails.country.countryName": 43,
    f"{_API_CALL}.remoteIpDetails.ipAddressV4": 44,
    f"{_API_CALL}.remoteIpDetails.organization.asn": 45,
    f"{_API_CALL}.remoteIpDetails.organization.asnOrg": 46,
    "service.action.dnsRequestAction.domain": 50,
    "service.action.dnsRequestAction.domainWithSuffix": 51,
    f"{_CONNECTION}.localPortDetails.port": 60,
    f"{_CONNECTION}.remotePortDetails.port": 61,
    f"{_CONNECTION}.remoteIpDetails.country.countryName": 62,
    f"{_CONNECTION}.remoteIpDetails.ipAddressV4": 63,
    f"{_CONNECTION}.remoteIpDetails.organization.asn": 64,
    f"{_CONNECTION}.remoteIpDetails.organization.asnOrg": 65,
    "service.action.portProbeAction.portProbeDetails.remoteIpDetails.ipAddressV4": 70,
    "service.additionalInfo.threatListName": 80,
}
"""Attributes whose values are found by an index, with the number that the table `finding_terms` knows them by.

These are the ones that GuardDuty documents for ListFindings and that tell many findings apart; what only has a handful
of values, such as `service.action.actionType`, would make the table twice as large and narrow nothing down.
A changed number or a new attribute needs a migration that fills the table.
"""

_TOP_LEVEL = frozenset(
    {
        "schemaVersion",
        "accountId",
        "region",
        "partition",
        "id",
        "arn",
        "type",
        "severity",
        "title",
        "description",
        "createdAt",
        "updatedAt",
        "confidence",
        "associatedAttackSequenceArn",
        "customDetectionRuleName",
    }
)
_SEGMENT = re.compile(r"[^\x00-\x1f\"\\.\[\]*$]+")
_MAX_LENGTH = 512
_MAX_SEGMENTS = 16
_OTHER_SPELLINGS = {
    "outpostARN": "outpostArn",
    "effectivePermissions": "effectivePermission",
    "loginAttributes": "LoginAttributes",
}
"""Segments as older guides spell them, and as the finding does."""


def known_attribute(name: object, parameter: str = "findingCriteria") -> str:
    """The attribute as the finding spells it.

    Raises:
        QueryRefusedError: no finding can have it.
    """
    if not isinstance(name, str) or len(name) > _MAX_LENGTH:
        raise QueryRefusedError(parameter, "names an attribute that no finding has")
    segments = [_OTHER_SPELLINGS.get(segment, segment) for segment in name.split(".")]
    nested = segments[0] in ("resource", "service") and 2 <= len(segments) <= _MAX_SEGMENTS
    written = all(_SEGMENT.fullmatch(segment) for segment in segments)
    if not written or not (nested or (len(segments) == 1 and segments[0] in _TOP_LEVEL)):
        raise QueryRefusedError(parameter, f"names the attribute {name[:100]!r}, which no finding has")
    return ".".join(segments)
