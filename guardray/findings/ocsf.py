"""OCSF Detection Finding (class 2004), laid out as Security Lake lays out GuardDuty's findings.

Source: the OCSF 1.5 schema, class `detection_finding`, profiles `cloud` and `datetime`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from guardray import __version__
from guardray.findings.actions import AwsApiCall, DnsRequest, NetworkConnection, PortProbe
from guardray.findings.ends import named_resources, remote_name
from guardray.findings.finding import Finding
from guardray.findings.network_names import protocol_name
from guardray.findings.places import Place
from guardray.findings.severity import Severity
from guardray.findings.wire import time_text, to_json
from guardray.findings.wire.members import Json, known

_SCHEMA_VERSION = "1.5.0"
_CLASS_UID = 2004
_SEVERITY_IDS = {Severity.LOW: 2, Severity.MEDIUM: 3, Severity.HIGH: 4, Severity.CRITICAL: 5}
_DIRECTIONS = {"INBOUND": (1, "Inbound"), "OUTBOUND": (2, "Outbound"), "UNKNOWN": (0, "Unknown")}
_AWS_ACCOUNT = 10
_RULE = 1
_HOSTNAME, _IP_ADDRESS, _RESOURCE_UID = (1, "Hostname"), (2, "IP Address"), (10, "Resource UID")


def to_ocsf(finding: Finding) -> Json:
    """A finding as an OCSF event."""
    activity_id, activity = (1, "Create") if finding.created_at == finding.updated_at else (2, "Update")
    status_id, status = (5, "Archived") if finding.archived else (1, "New")
    band = Severity.of(finding.severity)
    return {
        "metadata": _metadata(),
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
        "evidences": [_evidence(finding)],
        "observables": _observables(finding),
        "unmapped": _unmapped(finding),
    }


def _metadata() -> Json:
    return {
        "version": _SCHEMA_VERSION,
        "profiles": ["cloud", "datetime"],
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
        "analytic": {"uid": finding.type, "name": finding.type, "type": "Rule", "type_id": _RULE},
        **_time("created_time", finding.created_at),
        **_time("modified_time", finding.updated_at),
        **_time("first_seen_time", finding.event_first_seen),
        **_time("last_seen_time", finding.event_last_seen),
    }


def _resources(finding: Finding) -> list[Json]:
    return [
        {
            "type": named.type,
            "uid": named.uid,
            "name": named.name,
            "cloud_partition": finding.partition,
            "region": finding.region,
        }
        for named in named_resources(finding)
    ]


def _evidence(finding: Finding) -> Json:
    """What happened, in OCSF's objects, with GuardDuty's action beside it for what they have no place for."""
    data = to_json(finding)["service"]["action"]
    match finding.action:
        case AwsApiCall() as call:
            return _call_evidence(call) | {"data": data}
        case NetworkConnection() as connection:
            return _connection_evidence(connection) | {"data": data}
        case PortProbe() as probe:
            return _probe_evidence(probe) | {"data": data}
        case DnsRequest() as request:
            return {"query": {"hostname": request.domain}, "data": data}


def _call_evidence(call: AwsApiCall) -> Json:
    # OCSF's service has a version, which AWS's services do not tell.
    service = {"name": call.service_name, "uid": call.service_name, "version": ""}
    api = known(
        operation=call.api,
        service=service,
        response=None if call.error_code is None else {"error": call.error_code},
    )
    source = known(ip=call.remote_ip, svc_name=call.domain) | _place(call.remote_place)
    return known(
        api=api,
        src_endpoint=source or None,
        http_request=None if call.user_agent is None else {"user_agent": call.user_agent},
    )


def _connection_evidence(connection: NetworkConnection) -> Json:
    local = known(ip=connection.local_ip, port=connection.local_port, interface_uid=connection.interface_id)
    remote = known(ip=connection.remote_ip, port=connection.remote_port) | _place(connection.remote_place)
    source, destination = (remote, local) if connection.direction == "INBOUND" else (local, remote)
    direction_id, direction = _DIRECTIONS[connection.direction]
    number = connection.protocol_num
    return {
        "connection_info": known(
            direction_id=direction_id,
            direction=direction,
            protocol_num=number,
            protocol_name=None if number is None else protocol_name(number),
        ),
        "src_endpoint": source,
        "dst_endpoint": destination,
    }


def _probe_evidence(probe: PortProbe) -> Json:
    return {
        "connection_info": {"direction_id": 1, "direction": "Inbound"},
        "src_endpoint": {"ip": probe.remote_ip} | _place(probe.remote_place),
        "dst_endpoint": known(ip=probe.local_ip, port=probe.local_port),
    }


def _place(place: Place | None) -> Json:
    """Members of an endpoint. Its country is a code; an autonomous system has a number there or is left out."""
    if place is None:
        return {}
    location = known(
        city=place.city, country=place.country_code, lat=place.latitude, long=place.longitude, isp=place.isp
    )
    system = None if place.asn is None else known(number=place.asn, name=place.asn_org)
    return known(location=location or None, autonomous_system=system)


def _observables(finding: Finding) -> list[Json]:
    resources = [_observable("resources[].uid", _RESOURCE_UID, named.uid) for named in named_resources(finding)]
    remote = remote_name(finding)
    if remote is None:
        return resources
    match finding.action:
        case DnsRequest():
            observable = _observable("evidences[].query.hostname", _HOSTNAME, remote)
        case AwsApiCall(remote_ip=None):
            observable = _observable("evidences[].src_endpoint.svc_name", _HOSTNAME, remote)
        case NetworkConnection(direction=direction) if direction != "INBOUND":
            observable = _observable("evidences[].dst_endpoint.ip", _IP_ADDRESS, remote)
        case _:
            observable = _observable("evidences[].src_endpoint.ip", _IP_ADDRESS, remote)
    return [*resources, observable]


def _observable(name: str, kind: tuple[int, str], value: str) -> Json:
    type_id, type_name = kind
    return {"name": name, "type_id": type_id, "type": type_name, "value": value}


def _unmapped(finding: Finding) -> dict[str, Any]:
    service = to_json(finding)["service"]
    kept = ("detectorId", "resourceRole", "evidence", "additionalInfo")
    return {"severity": finding.severity, "service": {name: service[name] for name in kept}}
