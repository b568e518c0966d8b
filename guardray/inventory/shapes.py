"""EC2's descriptions of instances and interfaces, as CloudTrail and as the Describe calls spell them, to facts.

CloudTrail writes `{"tagSet": {"items": [...]}}` and times in milliseconds, the Describe calls `{"Tags": [...]}` and ISO
times. Nothing is taken for granted: whatever is not of the shape expected is as if it were not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from guardray.inventory.facts import FactList
from guardray.schema.addresses import ipv4_number

Json = Mapping[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MS = 4e12  # the year 2096


def mapping(value: Any) -> Json:
    """The value where it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def text(value: Any) -> str | None:
    """The value where it is a text with something in it."""
    return value if isinstance(value, str) and value else None


def listed(document: Json, *names: str) -> list[Json]:
    """The objects of the first of these members that has some: `[...]`, `{"items": [...]}` or `{"item": ...}`."""
    for name in names:
        found = document.get(name)
        if isinstance(found, Mapping):
            found = found.get("items", found.get("item"))
        found = [found] if isinstance(found, Mapping) else found
        if isinstance(found, list) and found:
            return [one for one in found if isinstance(one, Mapping)]
    return []


def moment(value: Any) -> datetime | None:
    """A time as CloudTrail, JSON or boto3 have it; None for anything else."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LATEST_MS:
        return _EPOCH + timedelta(milliseconds=value)
    try:
        return moment(datetime.fromisoformat(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def in_camel_case(value: Any) -> Any:
    """A Describe call's answer with members spelled as CloudTrail does: `VpcId` becomes `vpcId`."""
    if isinstance(value, Mapping):
        return {str(name)[:1].lower() + str(name)[1:]: in_camel_case(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [in_camel_case(inner) for inner in value]
    return value


def tags_of(document: Json) -> dict[str, str]:
    """Tags by key."""
    return {
        key: text(tag.get("value")) or ""
        for tag in listed(document, "tags", "tagSet")
        if (key := text(tag.get("key"))) is not None
    }


def groups_of(document: Json) -> list[dict[str, str]]:
    """Security groups as `securityGroups` names them."""
    groups = listed(document, "groups", "groupSet", "securityGroups")
    return [_known(groupId=text(one.get("groupId")), groupName=text(one.get("groupName"))) for one in groups]


def add_instance(facts: FactList, instance: Json, time: datetime) -> None:
    """What an instance's description says, from its launch or, where that is not said, from `time`."""
    uid = text(instance.get("instanceId"))
    if uid is None:
        return
    time = moment(instance.get("launchTime")) or time
    network: dict[str, Any] = {"vpc_uid": text(instance.get("vpcId")), "subnet_uid": text(instance.get("subnetId"))}
    facts.add("instance", time, instance_uid=uid, details=_instance_details(instance), **network)
    if _state(instance) == "terminated":
        return  # its addresses are others' already
    interfaces = listed(instance, "networkInterfaces", "networkInterfaceSet")
    for interface in interfaces:
        add_interface(facts, interface, time, instance_uid=uid)
    address = text(instance.get("privateIpAddress"))
    if address is not None and not interfaces:
        facts.add("attached", time, instance_uid=uid, ends_with_instance=True)
        facts.add("address", time, instance_uid=uid, private_ip_v4=ipv4_number(address), **network)
    public = text(instance.get("publicIpAddress"))
    if public is not None and not interfaces:
        facts.add("public", time, instance_uid=uid, public_ip=public)


def _state(instance: Json) -> Any:
    return mapping(instance.get("state") or instance.get("instanceState")).get("name")


def _instance_details(instance: Json) -> dict[str, Any]:
    profile = mapping(instance.get("iamInstanceProfile"))
    launched = moment(instance.get("launchTime"))
    products = [
        _known(
            productCodeId=text(one.get("productCodeId") or one.get("productCode")),
            productCodeType=text(one.get("productCodeType") or one.get("type")),
        )
        for one in listed(instance, "productCodes")
    ]
    return _known(
        imageId=text(instance.get("imageId")),
        instanceType=text(instance.get("instanceType")),
        instanceState="running" if _state(instance) == "running" else None,  # of others nobody says since when
        availabilityZone=text(mapping(instance.get("placement")).get("availabilityZone")),
        launchTime=None if launched is None else launched.isoformat().replace("+00:00", "Z"),
        platform=text(instance.get("platform")),
        outpostArn=text(instance.get("outpostArn")),
        iamInstanceProfile=_known(arn=text(profile.get("arn")), id=text(profile.get("id"))) or None,
        productCodes=products or None,
        tags=tags_of(instance) or None,
    )


def add_interface(facts: FactList, interface: Json, time: datetime, instance_uid: str | None = None) -> None:
    """What an interface's description says: its network, addresses, groups, public address and attachment."""
    uid = text(interface.get("networkInterfaceId"))
    if uid is None:
        return
    attachment = mapping(interface.get("attachment"))
    time = moment(attachment.get("attachTime")) or time
    network: dict[str, Any] = {"vpc_uid": text(interface.get("vpcId")), "subnet_uid": text(interface.get("subnetId"))}
    facts.add("interface", time, interface_uid=uid, details=_interface_details(interface), **network)
    for address in dict.fromkeys(_private_addresses(interface)):
        facts.add("address", time, interface_uid=uid, private_ip_v4=address, **network)
    _add_public_address(facts, interface, uid, time)
    instance_uid = instance_uid or text(attachment.get("instanceId"))
    if instance_uid is not None:
        facts.add(
            "attached",
            time,
            interface_uid=uid,
            instance_uid=instance_uid,
            link_uid=text(attachment.get("attachmentId")),
            ends_with_instance=attachment.get("deleteOnTermination") is not False,
        )


def _private_addresses(interface: Json) -> list[int]:
    """IPv4 addresses, the primary one first."""
    texts = [interface, *listed(interface, "privateIpAddresses", "privateIpAddressesSet")]
    numbers = [ipv4_number(address) for one in texts if (address := text(one.get("privateIpAddress"))) is not None]
    return [number for number in numbers if number is not None]


def _interface_details(interface: Json) -> dict[str, Any]:
    addresses = listed(interface, "ipv6Addresses", "ipv6AddressesSet")
    return _known(
        primary=text(interface.get("privateIpAddress")),
        privateDnsName=text(interface.get("privateDnsName")),
        publicDnsName=text(mapping(interface.get("association")).get("publicDnsName")),
        ipv6Addresses=[address for one in addresses if (address := text(one.get("ipv6Address")))] or None,
        securityGroups=groups_of(interface) or None,
    )


def _add_public_address(facts: FactList, interface: Json, uid: str, time: datetime) -> None:
    association = mapping(interface.get("association"))
    public = text(association.get("publicIp"))
    if public is not None:
        link = text(association.get("associationId"))
        facts.add("public", time, interface_uid=uid, public_ip=public, link_uid=link)


def _known(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
