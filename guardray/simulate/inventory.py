"""What EC2's Describe calls would say about each account at the end of the simulation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from guardray.simulate.rendering import address, utc_times
from guardray.simulate.world import Account, Interface, instances


def write_inventory(path: Path, accounts: list[Account]) -> None:
    """Write one document an account: a single object for one account, a list for more."""
    documents = [document(account) for account in accounts]
    body = msgspec.json.encode(documents[0] if len(documents) == 1 else documents)
    path.write_bytes(msgspec.json.format(body, indent=2) + b"\n")


def document(account: Account) -> dict[str, Any]:
    """`AccountId`, `Region`, `NetworkInterfaces` and `Instances` of one account."""
    present = [one for one in account.interfaces if one.alive(account.period.end - 1)]
    return {
        "AccountId": account.id,
        "Region": account.region,
        "NetworkInterfaces": [_interface(account, one) for one in present],
        "Instances": [_instance(account, one) for one in present if one.instance],
    }


def _interface(account: Account, one: Interface) -> dict[str, Any]:
    found: dict[str, Any] = {
        "NetworkInterfaceId": one.id,
        "VpcId": one.vpc,
        "SubnetId": one.subnet,
        "AvailabilityZone": one.zone,
        "OwnerId": account.id,
        "Status": "in-use",
        "InterfaceType": "nat_gateway" if one.kind == "nat" else "interface",
        "Description": _DESCRIPTIONS.get(one.kind, ""),
        "PrivateIpAddress": address(one.private_ip),
        "PrivateIpAddresses": [{"Primary": True, "PrivateIpAddress": address(one.private_ip)}],
        "Ipv6Addresses": [],
        "Groups": [{"GroupId": instances.group_id(one), "GroupName": instances.group_name(one)}],
    }
    if one.public_ip is not None:
        found["Association"] = {
            "PublicIp": address(one.public_ip),
            "IpOwnerId": account.id,
            "AllocationId": instances.allocation_id(one),
            "AssociationId": instances.association_id(one),
        }
    if one.instance:
        found["Attachment"] = {
            "AttachmentId": instances.attachment_id(one),
            "AttachTime": _since(account, one),
            "DeleteOnTermination": True,
            "InstanceId": one.instance,
            "DeviceIndex": 0,
            "Status": "attached",
        }
    return found


def _instance(account: Account, one: Interface) -> dict[str, Any]:
    found: dict[str, Any] = {
        "InstanceId": one.instance,
        "InstanceType": instances.instance_type(one),
        "ImageId": instances.image_id(one),
        "LaunchTime": _since(account, one),
        "State": {"Code": 16, "Name": "running"},
        "Placement": {"AvailabilityZone": one.zone},
        "VpcId": one.vpc,
        "SubnetId": one.subnet,
        "PrivateIpAddress": address(one.private_ip),
        "PrivateDnsName": instances.private_name(one),
        "Tags": [{"Key": key, "Value": value} for key, value in instances.tags(account.company, one).items()],
        "SecurityGroups": [{"GroupId": instances.group_id(one), "GroupName": instances.group_name(one)}],
        "NetworkInterfaces": [_interface(account, one)],
    }
    if one.kind == "windows":
        found["Platform"] = "windows"
    if one.public_ip is not None:
        found["PublicIpAddress"] = address(one.public_ip)
    profile = instances.profile(account.id, one)
    if profile is not None:
        found["IamInstanceProfile"] = {"Arn": profile["arn"], "Id": profile["id"]}
    return found


def _since(account: Account, one: Interface) -> str:
    return str(utc_times(np.array([instances.launched_at(one, account.period)]))[0])


_DESCRIPTIONS = {
    "nat": "Interface for NAT Gateway",
    "balancer": "ELB app/web",
    "database": "RDSNetworkInterface",
}
