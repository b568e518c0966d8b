"""OCSF Detection Finding (class 2004), laid out as Security Lake lays out GuardDuty's findings.

Source: the OCSF 1.5 schema, class `detection_finding`, profiles `cloud`, `datetime` and `osint`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from guardray import __version__
from guardray.findings.ends import NamedResource, named_resources, remote_address, remote_name
from guardray.findings.finding import Finding
from guardray.findings.finding_type import FindingType
from guardray.findings.ocsf_evidence import evidence, indicators, remote_path
from guardray.findings.resources import Instance
from guardray.findings.severity import Severity
from guardray.findings.wire import time_of, time_text, to_json
from guardray.findings.wire.members import Json, known

_SCHEMA_VERSION = "1.5.0"
_CLASS_UID = 2004
_SEVERITY_IDS = {Severity.LOW: 2, Severity.MEDIUM: 3, Severity.HIGH: 4, Severity.CRITICAL: 5}
_AWS_ACCOUNT = 10
_RULE, _BEHAVIORAL = (1, "Rule"), (2, "Behavioral")
_OF_EC2 = ("AwsEc2Instance", "AwsEc2NetworkInterface")
_HOSTNAME, _IP_ADDRESS, _RESOURCE_UID = (1, "Hostname"), (2, "IP Address"), (10, "Resource UID")


def to_ocsf(finding: Finding) -> Json:
    """A finding as an OCSF event."""
    activity_id, activity = (1, "Create") if finding.created_at == finding.updated_at else (2, "Update")
    status_id, status = (5, "Archived") if finding.archived else (1, "New")
    band = Severity.of(finding.severity)
    return {
        "metadata": _metadata(finding),
        "class_uid": _CLASS_UID,
        "class_name": "Detection Finding",
        "category_uid": 2,
        "category_name": "Findings",
        "activity_id": activity_id,
        "activity_name": activity,
        "type_uid": _CLASS_UID * 100 + activity_id,
        "type_name": f"Detection Finding: {activity}",
        "severity_id": _SEVERITY_IDS[band],
        "severity": band.label,
        "status_id": status_id,
        "status": status,
        "message": finding.title,
        **_times(finding),
        "count": finding.count,
        "cloud": _cloud(finding),
        "finding_info": _finding_info(finding),
        "resources": _resources(finding),
        "evidences": [evidence(finding)],
        **known(osint=indicators(finding) or None),
        "observables": _observables(finding),
        "unmapped": _unmapped(finding),
    }


def _metadata(finding: Finding) -> Json:
    """The profile `osint` is for findings that lists name the other end of: it cannot do without indicators."""
    return {
        "version": _SCHEMA_VERSION,
        "profiles": ["cloud", "datetime", *(["osint"] if indicators(finding) else [])],
        "product": {"name": "GuardRay", "vendor_name": "GuardRay", "version": __version__},
    }


def _times(finding: Finding) -> Json:
    return {
        **_time("time", finding.updated_at),
        **_time("start_time", finding.event_first_seen),
        **_time("end_time", finding.event_last_seen),
    }


def _time(name: str, time: datetime) -> Json:
    """A time both ways: milliseconds since 1970, and the text that the datetime profile adds."""
    return {name: round(time.timestamp() * 1000), f"{name}_dt": time_text(time)}


def _cloud(finding: Finding) -> Json:
    account = {"uid": finding.account_id, "name": finding.account_id, "type": "AWS Account", "type_id": _AWS_ACCOUNT}
    return {"provider": "AWS", "region": finding.region, "account": account}


def _finding_info(finding: Finding) -> Json:
    return {
        "uid": finding.arn,
        "title": finding.title,
        "desc": finding.description,
        "types": [finding.type],
        "analytic": _analytic(finding.type),
        **_time("created_time", finding.created_at),
        **_time("modified_time", finding.updated_at),
        **_time("first_seen_time", finding.event_first_seen),
        **_time("last_seen_time", finding.event_last_seen),
    }


def _analytic(finding_type: str) -> Json:
    """What found it: a rule, or a comparison with what is usual, which its type tells."""
    parts = FindingType.parse(finding_type)
    learned = parts.threat_purpose == "Behavior" or parts.threat_family_name == "AnomalousBehavior"
    type_id, type_name = _BEHAVIORAL if learned else _RULE
    return {"uid": finding_type, "name": finding_type, "type": type_name, "type_id": type_id}


def _resources(finding: Finding) -> list[Json]:
    details = to_json(finding)["resource"]
    return [_resource(finding, named, details) for named in named_resources(finding)]


def _resource(finding: Finding, named: NamedResource, details: Json) -> Json:
    """A resource with what the inventory knows of it, and GuardDuty's details for what OCSF has no place for."""
    instance = finding.resource.instance if named.type in _OF_EC2 else None
    return known(
        type=named.type,
        uid=named.uid,
        name=named.name,
        cloud_partition=finding.partition,
        region=finding.region,
        **({} if instance is None else _of_inventory(instance)),
        data=_data(named, details),
    )


def _of_inventory(instance: Instance) -> Json:
    interface = instance.interface
    launched = None if instance.launch_time is None else _time("created_time", time_of(instance.launch_time))
    return known(
        ip=interface.private_ip,
        hostname=interface.private_dns_name,
        zone=instance.availability_zone,
        tags=[{"name": key, "value": value} for key, value in instance.tags] or None,
        **(launched or {}),
    )


def _data(named: NamedResource, details: Json) -> Json | None:
    if named.type in _OF_EC2:
        return details.get("instanceDetails")
    if named.type == "AwsIamAccessKey":
        return details.get("accessKeyDetails")
    return next((one for one in details.get("s3BucketDetails", ()) if one["arn"] == named.uid), None)


def _observables(finding: Finding) -> list[Json]:
    resources = [_observable("resources[].uid", _RESOURCE_UID, named.uid) for named in named_resources(finding)]
    path, remote = remote_path(finding), remote_name(finding)
    if path is None or remote is None:
        return resources
    kind = _HOSTNAME if remote_address(finding) is None else _IP_ADDRESS
    return [*resources, _observable(path, kind, remote)]


def _observable(name: str, kind: tuple[int, str], value: str) -> Json:
    type_id, type_name = kind
    return {"name": name, "type_id": type_id, "type": type_name, "value": value}


def _unmapped(finding: Finding) -> dict[str, Any]:
    service = to_json(finding)["service"]
    kept = ("detectorId", "resourceRole", "evidence", "additionalInfo")
    return {"severity": finding.severity, "service": {name: service[name] for name in kept}}
