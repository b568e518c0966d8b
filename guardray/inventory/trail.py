"""Facts that CloudTrail's EC2 events tell: instances launched and ended, interfaces, addresses, tags, groups."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import polars as pl

from guardray.inventory.facts import FACTS, FactList
from guardray.inventory.shapes import (
    Json,
    add_instance,
    add_interface,
    groups_of,
    listed,
    mapping,
    tags_of,
    text,
)
from guardray.schema.addresses import ipv4_number

SERVICE = "ec2.amazonaws.com"
_COLUMNS = ("time", "cloud_account_uid", "cloud_region", "api_operation", "api_request_data", "api_response_data")


def facts_of(frame: pl.DataFrame) -> pl.DataFrame:
    """The facts of an `api_activity` batch, in the schema `FACTS`. Calls that failed change nothing.

    What is malformed or cut is left out. Only the rows of the few calls that tell something are decoded.
    """
    of_ec2 = frame["api_service_name"] == SERVICE
    if not of_ec2.any():
        return FACTS.to_frame()
    at = of_ec2.arg_true()
    at = at.filter(frame["api_operation"].gather(at).is_in(list(_TELLS)))
    at = at.filter(frame["api_response_error"].gather(at).is_null())
    rows = frame.select(_COLUMNS)[at]
    facts = FactList()
    for time, account, region, operation, request, response in rows.iter_rows():
        if time is not None:
            _TELLS[operation](facts.at(account, region), time, _decoded(request), _decoded(response))
    return facts.frame()


def _decoded(document: str | None) -> Json:
    try:
        return mapping(msgspec.json.decode(document)) if document else {}
    except msgspec.DecodeError:
        return {}


def _run_instances(facts: FactList, time: datetime, request: Json, response: Json) -> None:
    for instance in listed(response, "instancesSet"):
        add_instance(facts, {**instance, "instanceState": {"name": "running"}}, time)  # pending, in the answer


def _create_fleet(facts: FactList, time: datetime, request: Json, response: Json) -> None:
    """Instant fleets name their instances. RunInstances events of the fleet tell the rest."""
    for one in listed(mapping(response.get("CreateFleetResponse")) or response, "fleetInstanceSet"):
        ids = mapping(one.get("instanceIds"))
        named = ids.get("items", ids.get("item"))
        for uid in named if isinstance(named, list) else [named]:
            if text(uid) is not None:
                kind = text(one.get("instanceType"))
                facts.add("instance", time, instance_uid=uid, details={"instanceType": kind} if kind else None)


def _terminate_instances(facts: FactList, time: datetime, request: Json, response: Json) -> None:
    for uid in _instances(request, response):
        facts.add("ended", time, instance_uid=uid)


def _instances(request: Json, response: Json) -> list[str]:
    """The instances that a call is about: those of the answer, else those asked for."""
    named = listed(response, "instancesSet") or listed(request, "instancesSet")
    return [uid for one in named if (uid := text(one.get("instanceId"))) is not None]


def _state(state: str) -> Callable[[FactList, datetime, Json, Json], None]:
    def tell(facts: FactList, time: datetime, request: Json, response: Json) -> None:
        for uid in _instances(request, response):
            facts.add("instance", time, instance_uid=uid, details={"instanceState": state})

    return tell


def _create_interface(facts: FactList, time: datetime, request: Json, response: Json) -> None:
    add_interface(facts, mapping(response.get("networkInterface")), time)


def _attach_interface(facts: FactList, time: datetime, request: Json, response: Json) -> None:
    interface, instance = text(request.get("networkInterfaceId")), text(request.get("instanceId"))
    if interface is not None and instance is not None:
        link = text(response.get("attachmentId"))
        facts.add(
            "attached", time, interface_uid=interface, instance_uid=instance, link_uid=link, ends_with_instance=False
        )


def _detach_interface(facts: FactList, time: datetime, request: Json, response: Json) -> None:
    link = text(request.get("attachmentId"))
    if link is not None:
        facts.add("detached", time, link_uid=link)


def _delete_interface(facts: FactList, time: datetime, request: Json, response: Json) -> None:
    interface = text(request.get("networkInterfaceId"))
    if interface is not None:
        facts.add("deleted", time, interface_uid=interface)


def _assign_addresses(facts: FactList, time: datetime, request: Json, response: Json) -> None:
    addresses = listed(response, "assignedPrivateIpAddressesSet") or listed(request, "privateIpAddressesSet")
    _add_addresses(facts, "address", time, request, addresses)


def _unassign_addresses(facts: FactList, time: datetime, request: Json, response: Json) -> None:
    _add_addresses(facts, "unassigned", time, request, listed(request, "privateIpAddressesSet"))


def _add_addresses(facts: FactList, kind: str, time: datetime, request: Json, addresses: list[Json]) -> None:
    interface = text(request.get("networkInterfaceId"))
    for one in addresses:
        number = ipv4_number(text(one.get("privateIpAddress")) or "")
        if interface is not None and number is not None:
            facts.add(kind, time, interface_uid=interface, private_ip_v4=number)


def _allocate_address(facts: FactList, time: datetime, request: Json, response: Json) -> None:
    public, link = text(response.get("publicIp")), text(response.get("allocationId"))
    if public is not None and link is not None:
        facts.add("allocated", time, public_ip=public, link_uid=link)


def _associate_address(facts: FactList, time: datetime, request: Json, response: Json) -> None:
    interface, instance = text(request.get("networkInterfaceId")), text(request.get("instanceId"))
    if interface is None and instance is None:
        return
    allocation = text(request.get("allocationId"))
    facts.add(
        "public",
        time,
        interface_uid=interface,
        instance_uid=instance,
        public_ip=text(request.get("publicIp")),
        link_uid=text(response.get("associationId")),
        details={"allocationId": allocation} if allocation else None,
    )


def _disassociate_address(facts: FactList, time: datetime, request: Json, response: Json) -> None:
    link, public = text(request.get("associationId")), text(request.get("publicIp"))
    if link is not None or public is not None:
        facts.add("released", time, link_uid=link, public_ip=public)


def _tags(kind: str) -> Callable[[FactList, datetime, Json, Json], None]:
    def tell(facts: FactList, time: datetime, request: Json, response: Json) -> None:
        tags = tags_of(request)
        for one in listed(request, "resourcesSet"):
            uid = text(one.get("resourceId")) or ""
            if uid.startswith("i-") and (tags or kind == "untagged"):  # a DeleteTags without tags takes them all
                facts.add(kind, time, instance_uid=uid, details={"tags": tags} if tags else None)

    return tell


def _modify_interface(facts: FactList, time: datetime, request: Json, response: Json) -> None:
    interface, groups = text(request.get("networkInterfaceId")), groups_of(request)
    if interface is not None and groups:
        facts.add("interface", time, interface_uid=interface, details={"securityGroups": groups})


def _modify_instance(facts: FactList, time: datetime, request: Json, response: Json) -> None:
    instance, groups = text(request.get("instanceId")), groups_of(request)
    kind = text(mapping(request.get("instanceType")).get("value"))
    details: dict[str, Any] = {"securityGroups": groups} if groups else {}
    if kind is not None:
        details["instanceType"] = kind
    if instance is not None and details:
        facts.add("instance", time, instance_uid=instance, details=details)


def _associate_profile(facts: FactList, time: datetime, request: Json, response: Json) -> None:
    answers = (mapping(response.get(name)) for name in _PROFILE_ANSWERS)
    association = mapping(next(filter(None, answers), response).get("iamInstanceProfileAssociation"))
    instance, profile = text(association.get("instanceId")), mapping(association.get("iamInstanceProfile"))
    known = {name: value for name in ("arn", "id") if (value := text(profile.get(name)))}
    if instance is not None and known:
        facts.add("instance", time, instance_uid=instance, details={"iamInstanceProfile": known})


_PROFILE_ANSWERS = ("AssociateIamInstanceProfileResponse", "ReplaceIamInstanceProfileAssociationResponse")
_TELLS: dict[str, Callable[[FactList, datetime, Json, Json], None]] = {
    "RunInstances": _run_instances,
    "CreateFleet": _create_fleet,
    "TerminateInstances": _terminate_instances,
    "StartInstances": _state("running"),
    "StopInstances": _state("stopped"),
    "CreateNetworkInterface": _create_interface,
    "AttachNetworkInterface": _attach_interface,
    "DetachNetworkInterface": _detach_interface,
    "DeleteNetworkInterface": _delete_interface,
    "AssignPrivateIpAddresses": _assign_addresses,
    "UnassignPrivateIpAddresses": _unassign_addresses,
    "AllocateAddress": _allocate_address,
    "AssociateAddress": _associate_address,
    "DisassociateAddress": _disassociate_address,
    "CreateTags": _tags("tagged"),
    "DeleteTags": _tags("untagged"),
    "ModifyNetworkInterfaceAttribute": _modify_interface,
    "ModifyInstanceAttribute": _modify_instance,
    "AssociateIamInstanceProfile": _associate_profile,
    "ReplaceIamInstanceProfileAssociation": _associate_profile,
}
