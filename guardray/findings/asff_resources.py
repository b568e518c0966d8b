"""Resources in AWS Security Finding Format: their tags, their details, and what those have no member for.

Source: the Security Hub user guide on the format's resources.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from guardray.findings.ends import NamedResource
from guardray.findings.finding import Finding
from guardray.findings.resources import AccessKey, Instance, NetworkInterface, SecurityGroup
from guardray.findings.wire.members import Json, known

# The most and the longest that Security Hub takes.
_TAGS = 50
_TAG_KEY_CHARS = 128
_TAG_VALUE_CHARS = 256


def resource_json(finding: Finding, named: NamedResource) -> Json:
    """One of a finding's resources."""
    instance = finding.resource.instance if named.type.startswith("AwsEc2") else None
    return known(
        Type=named.type,
        Id=named.uid,
        Partition=finding.partition,
        Region=finding.region,
        Tags=None if instance is None else _tags(instance) or None,
        Details=_details(finding, named) or None,
    )


def _tags(instance: Instance) -> dict[str, str]:
    """Tags that have a value: Security Hub takes no empty text."""
    given = [(key[:_TAG_KEY_CHARS], value[:_TAG_VALUE_CHARS]) for key, value in instance.tags]
    return dict([(key, value) for key, value in given if key.strip() and value.strip()][:_TAGS])


def _details(finding: Finding, named: NamedResource) -> Json:
    resource = finding.resource
    own: Json = {}
    other: dict[str, str] = {}
    if named.type == "AwsIamAccessKey" and resource.access_key is not None:
        own = _access_key(resource.access_key)
    elif named.type == "AwsEc2Instance" and resource.instance is not None:
        own, other = _instance(resource.instance), _other_of_instance(resource.instance)
    elif named.type == "AwsEc2NetworkInterface" and resource.instance is not None:
        own, other = _interface(resource.instance.interface), _other_of_interface(resource.instance.interface)
    return known(**{named.type: own or None, "Other": other or None})


def _access_key(key: AccessKey) -> Json:
    return known(
        PrincipalId=key.principal_id,
        PrincipalType=key.user_type,
        PrincipalName=key.user_name,
        AccessKeyId=key.access_key_id,
    )


def _instance(instance: Instance) -> Json:
    interfaces = (instance.interface, *instance.other_interfaces)
    addresses = [address for one in interfaces for address in (*_private(one), *one.ipv6_addresses, one.public_ip)]
    return known(
        Type=instance.instance_type,
        ImageId=instance.image_id,
        IpV4Addresses=_distinct(one for one in addresses if one and ":" not in one),
        IpV6Addresses=_distinct(one for one in addresses if one and ":" in one),
        IamInstanceProfileArn=None if instance.profile is None else instance.profile.arn,
        VpcId=instance.interface.vpc_id,
        SubnetId=instance.interface.subnet_id,
        LaunchedAt=instance.launch_time,
        NetworkInterfaces=[{"NetworkInterfaceId": one.interface_id} for one in interfaces if one.interface_id] or None,
    )


def _other_of_instance(instance: Instance) -> dict[str, str]:
    interface = instance.interface
    return known(
        SecurityGroups=_group_names(instance.security_groups),
        PrivateDnsName=interface.private_dns_name,
        PublicDnsName=interface.public_dns_name,
        AvailabilityZone=instance.availability_zone,
        InstanceState=instance.instance_state,
        Platform=instance.platform,
        ImageDescription=instance.image_description,
        IamInstanceProfileId=None if instance.profile is None else instance.profile.id,
        ProductCodes=", ".join(code.id for code in instance.product_codes if code.id) or None,
        OutpostArn=instance.outpost_arn,
    )


def _interface(interface: NetworkInterface) -> Json:
    private = [{"PrivateIpAddress": one} for one in _private(interface) if ":" not in one]
    names = {one.ip: one.dns_name for one in interface.private_ips}
    v6 = [one for one in (*_private(interface), *interface.ipv6_addresses) if ":" in one]
    groups = [known(GroupId=one.id, GroupName=one.name) for one in interface.security_groups]
    return known(
        NetworkInterfaceId=interface.interface_id,
        SecurityGroups=groups or None,
        IpV6Addresses=[{"IpV6Address": one} for one in dict.fromkeys(v6)] or None,
        PrivateIpAddresses=[one | known(PrivateDnsName=names.get(one["PrivateIpAddress"])) for one in private] or None,
        PublicDnsName=interface.public_dns_name,
        PublicIp=interface.public_ip,
    )


def _other_of_interface(interface: NetworkInterface) -> dict[str, str]:
    return known(VpcId=interface.vpc_id, SubnetId=interface.subnet_id)


def _private(interface: NetworkInterface) -> list[str]:
    """The interface's private addresses, the primary one first."""
    return _distinct([interface.private_ip, *(one.ip for one in interface.private_ips)]) or []


def _group_names(groups: Iterable[SecurityGroup]) -> str | None:
    """Such as `sg-1 (web), sg-2`."""
    texts = [f"{one.id} ({one.name})" if one.id and one.name else one.id or one.name for one in groups]
    return ", ".join(text for text in texts if text) or None


def _distinct(values: Iterable[Any]) -> list[Any] | None:
    return list(dict.fromkeys(value for value in values if value is not None)) or None
