"""A whole finding in GuardDuty's JSON, members in the order in which GuardDuty writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from guardray.findings.details import ThreatIntelligence
from guardray.findings.finding import Finding
from guardray.findings.wire.actions import action_json, action_of
from guardray.findings.wire.members import Json
from guardray.findings.wire.resources import resource_json, resource_of


def to_json(finding: Finding) -> Json:
    """A finding as GetFindings, EventBridge events and exported files carry it."""
    return {
        "schemaVersion": "2.0",
        "accountId": finding.account_id,
        "region": finding.region,
        "partition": finding.partition,
        "id": finding.id,
        "arn": finding.arn,
        "type": finding.type,
        "severity": _number(finding.severity),
        "title": finding.title,
        "description": finding.description,
        "createdAt": time_text(finding.created_at),
        "updatedAt": time_text(finding.updated_at),
        "resource": resource_json(finding.resource, finding.partition),
        "service": _service_json(finding),
    }


def from_json(finding: Mapping[str, Any]) -> Finding:
    """The finding that `to_json` wrote, without its evidence rows."""
    service = finding["service"]
    intelligence = _intelligence_of(service["evidence"])
    return Finding(
        id=finding["id"],
        type=finding["type"],
        account_id=finding["accountId"],
        region=finding["region"],
        severity=float(finding["severity"]),
        title=finding["title"],
        description=finding["description"],
        resource=resource_of(finding["resource"]),
        resource_role=service["resourceRole"],
        action=action_of(service["action"]),
        additional_info=_additional_info_of(service["additionalInfo"], intelligence),
        threat_intelligence=intelligence,
        event_first_seen=time_of(service["eventFirstSeen"]),
        event_last_seen=time_of(service["eventLastSeen"]),
        count=service["count"],
        created_at=time_of(finding["createdAt"]),
        updated_at=time_of(finding["updatedAt"]),
        archived=service["archived"],
    )


def time_text(time: datetime) -> str:
    """Such as `2024-05-01T12:06:00.000Z`."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def time_of(text: str) -> datetime:
    """The time that `time_text` wrote."""
    return datetime.fromisoformat(text)


def _service_json(finding: Finding) -> Json:
    return {
        "serviceName": "guardduty",
        "detectorId": finding.detector_id,
        "resourceRole": finding.resource_role,
        "action": action_json(finding.action),
        "evidence": _intelligence_json(finding.threat_intelligence),
        "additionalInfo": _additional_info_json(finding),
        "eventFirstSeen": time_text(finding.event_first_seen),
        "eventLastSeen": time_text(finding.event_last_seen),
        "archived": finding.archived,
        "count": finding.count,
    }


def _number(severity: float) -> int | float:
    """Whole severities are written without a fraction, as in GuardDuty's own events."""
    return int(severity) if severity.is_integer() else severity


def _intelligence_json(lists: Sequence[ThreatIntelligence]) -> Json | None:
    if not lists:
        return None
    details = [{"threatListName": entry.list_name, "threatNames": list(entry.threat_names)} for entry in lists]
    return {"threatIntelligenceDetails": details}


def _intelligence_of(evidence: Mapping[str, Any] | None) -> tuple[ThreatIntelligence, ...]:
    if evidence is None:
        return ()
    details = evidence["threatIntelligenceDetails"]
    return tuple(ThreatIntelligence(entry["threatListName"], tuple(entry["threatNames"])) for entry in details)


def _additional_info_json(finding: Finding) -> Json:
    """The keys twice: spelled out, as in events, and as the JSON text in `value`, which is all that boto3 reads."""
    info = {**_first_list(finding.threat_intelligence), **finding.additional_info}
    return {**info, "value": msgspec.json.encode(info).decode(), "type": "default"}


def _additional_info_of(info: Mapping[str, Any], lists: Sequence[ThreatIntelligence]) -> Json:
    keys: Json = msgspec.json.decode(info["value"])
    for name, value in _first_list(lists).items():
        if keys.get(name) == value:
            del keys[name]
    return keys


def _first_list(lists: Sequence[ThreatIntelligence]) -> Json:
    if not lists:
        return {}
    threat_name = {"threatName": lists[0].threat_names[0]} if lists[0].threat_names else {}
    return {"threatListName": lists[0].list_name, **threat_name}
