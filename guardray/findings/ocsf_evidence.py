"""What happened, in OCSF's objects: the call, connection or query with its two ends, and what lists say of the other.

Source: the OCSF 1.5 schema, objects `evidences`, `network_endpoint` and `osint`.
"""

from __future__ import annotations

from guardray.findings.actions import AwsApiCall, DnsRequest, NetworkConnection, PortProbe
from guardray.findings.ends import remote_address, remote_name
from guardray.findings.finding import Finding
from guardray.findings.network_names import protocol_name
from guardray.findings.places import Place
from guardray.findings.resources import Instance
from guardray.findings.wire import to_json
from guardray.findings.wire.members import Json, known

_DIRECTIONS = {"INBOUND": (1, "Inbound"), "OUTBOUND": (2, "Outbound"), "UNKNOWN": (0, "Unknown")}
_INDICATOR_IP, _INDICATOR_DOMAIN = (1, "IP Address"), (2, "Domain")


def evidence(finding: Finding) -> Json:
    """What happened, with GuardDuty's action beside it for what OCSF has no place for."""
    data = to_json(finding)["service"]["action"]
    instance = finding.resource.instance
    match finding.action:
        case AwsApiCall() as call:
            return _call(call) | {"data": data}
        case NetworkConnection() as connection:
            return _connection(connection, instance) | {"data": data}
        case PortProbe() as probe:
            return _probe(probe, instance) | {"data": data}
        case DnsRequest() as request:
            asker = None if instance is None else instance.interface.private_ip
            return known(query={"hostname": request.domain}, src_endpoint=_local(instance, ip=asker) or None, data=data)


def remote_path(finding: Finding) -> str | None:
    """Where in the event the other end stands; null where it is not known."""
    if remote_name(finding) is None:
        return None
    match finding.action:
        case DnsRequest():
            return "evidences[].query.hostname"
        case AwsApiCall(remote_ip=None):
            return "evidences[].src_endpoint.svc_name"
        case NetworkConnection(direction=direction) if direction != "INBOUND":
            return "evidences[].dst_endpoint.ip"
        case _:
            return "evidences[].src_endpoint.ip"


def indicators(finding: Finding) -> list[Json]:
    """`osint`: each list that names the other end, with the threats that it knows it for as labels."""
    value = remote_name(finding)
    if value is None:
        return []
    type_id, type_name = _INDICATOR_DOMAIN if remote_address(finding) is None else _INDICATOR_IP
    return [
        known(
            value=value,
            type_id=type_id,
            type=type_name,
            name=remote_path(finding),
            vendor_name=one.list_name,
            labels=list(one.threat_names) or None,
        )
        for one in finding.threat_intelligence
    ]


def _call(call: AwsApiCall) -> Json:
    # OCSF's service has a version, which AWS's services do not tell.
    service = {"name": call.service_name, "uid": call.service_name, "version": ""}
    api = known(
        operation=call.api,
        service=service,
        response=None if call.error_code is None else {"error": call.error_code},
    )
    return known(
        api=api,
        src_endpoint=_remote(call.remote_place, ip=call.remote_ip, svc_name=call.domain) or None,
        http_request=None if call.user_agent is None else {"user_agent": call.user_agent},
    )


def _connection(connection: NetworkConnection, instance: Instance | None) -> Json:
    local = _local(instance, ip=connection.local_ip, port=connection.local_port, interface_uid=connection.interface_id)
    remote = _remote(connection.remote_place, ip=connection.remote_ip, port=connection.remote_port)
    source, destination = (remote, local) if connection.direction == "INBOUND" else (local, remote)
    direction_id, direction = _DIRECTIONS[connection.direction]
    number = connection.protocol_num
    return known(
        connection_info=known(
            direction_id=direction_id,
            direction=direction,
            protocol_num=number,
            protocol_name=None if number is None else protocol_name(number),
        ),
        src_endpoint=source or None,
        dst_endpoint=destination or None,
    )


def _probe(probe: PortProbe, instance: Instance | None) -> Json:
    return known(
        connection_info={"direction_id": 1, "direction": "Inbound"},
        src_endpoint=_remote(probe.remote_place, ip=probe.remote_ip),
        dst_endpoint=_local(instance, ip=probe.local_ip, port=probe.local_port) or None,
    )


def _local(instance: Instance | None, **endpoint: str | int | None) -> Json:
    """Our end. An endpoint must have a name or an address: a port alone is left to `data`."""
    if instance is None:
        return _named(known(**endpoint))
    interface = instance.interface
    inventory = known(
        instance_uid=instance.instance_id,
        interface_uid=interface.interface_id,
        hostname=interface.private_dns_name,
        vpc_uid=interface.vpc_id,
        subnet_uid=interface.subnet_id,
    )
    return _named(inventory | known(**endpoint))


def _remote(place: Place | None, **endpoint: str | int | None) -> Json:
    """The other end and where it is: its country as a code, and only with a city or country a position."""
    if place is None:
        return _named(known(**endpoint))
    location = known(city=place.city, country=place.country_code, lat=place.latitude, long=place.longitude)
    is_located = place.city is not None or place.country_code is not None
    return _named(
        known(
            **endpoint,
            location=location if is_located else None,
            autonomous_system=known(number=place.asn, name=place.asn_org) or None,
            isp=place.isp,
        )
    )


def _named(endpoint: Json) -> Json:
    return endpoint if _NAMES & endpoint.keys() else {}


_NAMES = {"ip", "svc_name", "instance_uid", "interface_uid", "hostname"}
