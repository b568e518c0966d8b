"""What EC2's Describe calls would say about each account at the end of the simulation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from guardray.simulate.rendering import address
from guardray.simulate.world import Account, Interface


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
        "Groups": [{"GroupId": _group(one), "GroupName": one.kind}],
    }
    if one.public_ip is not None:
        found["Association"] = {"PublicIp": address(one.public_ip), "IpOwnerId": account.id}
    if one.instance:
        found["Attachment"] = {"InstanceId": one.instance, "DeviceIndex": 0, "Status": "attached"}
    return found


def _instance(account: Account, one: Interface) -> dict[str, Any]:
    found: dict[str, Any] = {
        "InstanceId": one.instance,
        "InstanceType": "m7g.large" if one.kind == "web" else "t3.medium",
        "ImageId": f"ami-{one.vpc[4:21]}",
        "State": {"Code": 16, "Name": "running"},
        "Placement": {"AvailabilityZone": one.zone},
        "VpcId": one.vpc,
        "SubnetId": one.subnet,
        "PrivateIpAddress": address(one.private_ip),
        "PrivateDnsName": f"ip-{address(one.private_ip).replace('.', '-')}.{account.region}.compute.internal",
        "Tags": [{"Key": "Name", "Value": f"{account.company}-{one.kind}"}],
        "SecurityGroups": [{"GroupId": _group(one), "GroupName": one.kind}],
        "NetworkInterfaces": [_interface(account, one)],
    }
    if one.kind == "windows":
        found["Platform"] = "windows"
    if one.public_ip is not None:
        found["PublicIpAddress"] = address(one.public_ip)
    if one.kind in ("web", "worker"):
        profile = f"arn:aws:iam::{account.id}:instance-profile/{one.kind}-instance-role"
        found["IamInstanceProfile"] = {"Arn": profile, "Id": f"AIPA{one.kind.upper():X<17}"}
    return found


def _group(one: Interface) -> str:
    return f"sg-{one.kind.encode().hex():0<17.17}"


_DESCRIPTIONS = {
    "nat": "Interface for NAT Gateway",
    "balancer": "ELB app/web",
    "database": "RDSNetworkInterface",
}
