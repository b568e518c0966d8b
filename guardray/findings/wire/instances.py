"""`resource.instanceDetails`: an EC2 instance, its interfaces, and what the inventory knows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from guardray.findings.resources import (
    Instance,
    NetworkInterface,
    PrivateAddress,
    ProductCode,
    Profile,
    SecurityGroup,
)
from guardray.findings.wire.members import Json, known


def instance_json(instance: Instance) -> Json:
    """An instance as GuardDuty writes it, the interface that the finding is about first."""
    profile = instance.profile
    return known(
        instanceId=instance.instance_id,
        instanceType=instance.instance_type,
        launchTime=instance.launch_time,
        platform=instance.platform,
        productCodes=[known(productCodeId=one.id, productCodeType=one.type) for one in instance.product_codes] or None,
        iamInstanceProfile=None if profile is None else known(arn=profile.arn, id=profile.id),
        networkInterfaces=[_interface_json(one) for one in (instance.interface, *instance.other_interfaces)],
        outpostArn=instance.outpost_arn,
        tags=[{"key": key, "value": value} for key, value in instance.tags] or None,
        instanceState=instance.instance_state,
        availabilityZone=instance.availability_zone,
        imageId=instance.image_id,
        imageDescription=instance.image_description,
    )


def instance_of(instance: Mapping[str, Any]) -> Instance:
    """The instance that `instance_json` wrote."""
    first, *others = map(_interface_of, instance["networkInterfaces"])
    profile = instance.get("iamInstanceProfile")
    return Instance(
        instance_id=instance.get("instanceId"),
        interface=first,
        other_interfaces=tuple(others),
        image_id=instance.get("imageId"),
        image_description=instance.get("imageDescription"),
        instance_type=instance.get("instanceType"),
        instance_state=instance.get("instanceState"),
        availability_zone=instance.get("availabilityZone"),
        launch_time=instance.get("launchTime"),
        platform=instance.get("platform"),
        outpost_arn=instance.get("outpostArn"),
        profile=None if profile is None else Profile(arn=profile.get("arn"), id=profile.get("id")),
        product_codes=tuple(
            ProductCode(id=one.get("productCodeId"), type=one.get("productCodeType"))
            for one in instance.get("productCodes", ())
        ),
        tags=tuple((one["key"], one["value"]) for one in instance.get("tags", ())),
    )


def _interface_json(interface: NetworkInterface) -> Json:
    address = interface.private_ip
    is_v6 = address is not None and ":" in address
    v6 = [*([address] if is_v6 else []), *interface.ipv6_addresses]
    return known(
        networkInterfaceId=interface.interface_id,
        privateDnsName=interface.private_dns_name,
        privateIpAddress=None if is_v6 else address,
        privateIpAddresses=_private_json(interface.private_ips),
        ipv6Addresses=v6 or None,
        publicDnsName=interface.public_dns_name,
        publicIp=interface.public_ip,
        securityGroups=[known(groupId=one.id, groupName=one.name) for one in interface.security_groups] or None,
        subnetId=interface.subnet_id,
        vpcId=interface.vpc_id,
    )


def _private_json(addresses: Sequence[PrivateAddress]) -> list[Json] | None:
    return [known(privateDnsName=one.dns_name, privateIpAddress=one.ip) for one in addresses] or None


def _interface_of(interface: Mapping[str, Any]) -> NetworkInterface:
    address, v6 = interface.get("privateIpAddress"), tuple(interface.get("ipv6Addresses", ()))
    if address is None and v6:
        address, v6 = v6[0], v6[1:]
    return NetworkInterface(
        interface_id=interface.get("networkInterfaceId"),
        private_ip=address,
        vpc_id=interface.get("vpcId"),
        subnet_id=interface.get("subnetId"),
        private_dns_name=interface.get("privateDnsName"),
        private_ips=tuple(
            PrivateAddress(ip=one["privateIpAddress"], dns_name=one.get("privateDnsName"))
            for one in interface.get("privateIpAddresses", ())
        ),
        ipv6_addresses=v6,
        public_ip=interface.get("publicIp"),
        public_dns_name=interface.get("publicDnsName"),
        security_groups=tuple(
            SecurityGroup(id=one.get("groupId"), name=one.get("groupName"))
            for one in interface.get("securityGroups", ())
        ),
    )
