"""`service.action`: the type of what happened and the one member that it fills."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guardray.findings.actions import Action, AwsApiCall, DnsRequest, NetworkConnection, PortProbe
from guardray.findings.network_names import protocol_name, protocol_number
from guardray.findings.wire.members import (
    Json,
    address_json,
    address_of,
    known,
    place_of,
    port_json,
    port_of,
    remote_json,
)


def action_json(action: Action) -> Json:
    """An action as GuardDuty writes it."""
    match action:
        case AwsApiCall():
            return {"actionType": "AWS_API_CALL", "awsApiCallAction": _api_call_json(action)}
        case NetworkConnection():
            return {"actionType": "NETWORK_CONNECTION", "networkConnectionAction": _connection_json(action)}
        case PortProbe():
            return {"actionType": "PORT_PROBE", "portProbeAction": _port_probe_json(action)}
        case DnsRequest():
            return {"actionType": "DNS_REQUEST", "dnsRequestAction": _dns_request_json(action)}


def action_of(action: Mapping[str, Any]) -> Action:
    """The action that `action_json` wrote."""
    match action["actionType"]:
        case "AWS_API_CALL":
            return _api_call_of(action["awsApiCallAction"])
        case "NETWORK_CONNECTION":
            return _connection_of(action["networkConnectionAction"])
        case "PORT_PROBE":
            return _port_probe_of(action["portProbeAction"])
        case "DNS_REQUEST":
            return _dns_request_of(action["dnsRequestAction"])
        case other:
            raise ValueError(f"a finding's action is of the unknown type {other!r}")


def _api_call_json(call: AwsApiCall) -> Json:
    return known(
        api=call.api,
        serviceName=call.service_name,
        callerType=_caller_type(call),
        remoteIpDetails=remote_json(call.remote_ip, call.remote_place),
        domainDetails=known(domain=call.domain) or None,
        errorCode=call.error_code,
        userAgent=call.user_agent,
        remoteAccountDetails=known(accountId=call.remote_account_id, affiliated=call.remote_account_affiliated) or None,
        affectedResources=call.affected_resources,
    )


def _caller_type(call: AwsApiCall) -> str | None:
    if call.remote_ip is not None:
        return "Remote IP"
    return None if call.domain is None else "Domain"


def _api_call_of(call: Mapping[str, Any]) -> AwsApiCall:
    return AwsApiCall(
        api=call["api"],
        service_name=call["serviceName"],
        remote_ip=address_of(call.get("remoteIpDetails")),
        domain=call.get("domainDetails", {}).get("domain"),
        error_code=call.get("errorCode"),
        user_agent=call.get("userAgent"),
        remote_account_id=call.get("remoteAccountDetails", {}).get("accountId"),
        remote_account_affiliated=call.get("remoteAccountDetails", {}).get("affiliated"),
        affected_resources=call["affectedResources"],
        remote_place=place_of(call.get("remoteIpDetails")),
    )


def _connection_json(connection: NetworkConnection) -> Json:
    number = connection.protocol_num
    return known(
        connectionDirection=connection.direction,
        protocol=None if number is None else protocol_name(number),
        blocked=connection.blocked,
        localPortDetails=port_json(connection.local_port),
        remotePortDetails=port_json(connection.remote_port),
        localIpDetails=address_json(connection.local_ip),
        localNetworkInterface=connection.interface_id,
        remoteIpDetails=remote_json(connection.remote_ip, connection.remote_place),
    )


def _connection_of(connection: Mapping[str, Any]) -> NetworkConnection:
    protocol = connection.get("protocol")
    return NetworkConnection(
        direction=connection["connectionDirection"],
        protocol_num=None if protocol is None else protocol_number(protocol),
        local_ip=address_of(connection.get("localIpDetails")),
        local_port=port_of(connection.get("localPortDetails")),
        remote_ip=address_of(connection.get("remoteIpDetails")),
        remote_port=port_of(connection.get("remotePortDetails")),
        blocked=connection["blocked"],
        interface_id=connection.get("localNetworkInterface"),
        remote_place=place_of(connection.get("remoteIpDetails")),
    )


def _port_probe_json(probe: PortProbe) -> Json:
    details = known(
        localPortDetails=port_json(probe.local_port),
        localIpDetails=address_json(probe.local_ip),
        remoteIpDetails=remote_json(probe.remote_ip, probe.remote_place),
    )
    return {"blocked": probe.blocked, "portProbeDetails": [details]}


def _port_probe_of(probe: Mapping[str, Any]) -> PortProbe:
    details = probe["portProbeDetails"][0]
    return PortProbe(
        local_port=details["localPortDetails"]["port"],
        local_ip=address_of(details.get("localIpDetails")),
        remote_ip=address_of(details["remoteIpDetails"]) or "",
        blocked=probe["blocked"],
        remote_place=place_of(details["remoteIpDetails"]),
    )


def _dns_request_json(request: DnsRequest) -> Json:
    return known(
        domain=request.domain,
        domainWithSuffix=request.domain_with_suffix,
        protocol=request.protocol,
        blocked=request.blocked,
        vpcOwnerAccountId=request.vpc_owner_account_id,
    )


def _dns_request_of(request: Mapping[str, Any]) -> DnsRequest:
    return DnsRequest(
        domain=request["domain"],
        domain_with_suffix=request.get("domainWithSuffix"),
        protocol=request.get("protocol"),
        blocked=request["blocked"],
        vpc_owner_account_id=request.get("vpcOwnerAccountId"),
    )
