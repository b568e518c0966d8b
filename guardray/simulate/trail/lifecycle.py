"""EC2 events of what is launched and ends in the period, in the shapes that CloudTrail records them in."""

from __future__ import annotations

from typing import Any

import polars as pl

from guardray.simulate.period import Period
from guardray.simulate.rendering import address
from guardray.simulate.trail.events import Call, Caller, caller
from guardray.simulate.trail.identities import service_role, workload
from guardray.simulate.trail.templates import CALLS, Templates, calls
from guardray.simulate.world import Account, Interface, instances

_SCALING, _BALANCING = "autoscaling.amazonaws.com", "elasticloadbalancing.amazonaws.com"
_ASSOCIATED_AFTER_S = 40.0
_DONE = {"_return": True}


def lifecycle_calls(account: Account, day: Period, templates: Templates) -> pl.DataFrame:
    """Launches and ends on this day: instances of autoscaling groups, a jump host, a node of the balancer."""
    found = [
        calls([time], templates.add(by, call))
        for one in account.interfaces
        if one.is_passing
        for time, by, call in _life(account, one)
        if day.start <= time < day.end
    ]
    return pl.concat([CALLS.to_frame(), *found])


def _life(account: Account, one: Interface) -> list[tuple[float, Caller, Call]]:
    """Everything that happens to one, in order."""
    if not one.instance:
        by = _service(account, "AWSServiceRoleForElasticLoadBalancing", _BALANCING, one.launched)
        return [(one.launched, by, create_interface(account, one)), (one.ended, by, delete_interface(one))]
    if one.public_ip is None:
        by = _service(account, "AWSServiceRoleForAutoScaling", _SCALING, one.launched)
        return [(one.launched, by, run_instances(account, one)), (one.ended, by, terminate_instances(one))]
    of = account.workload("terraform-deploy")
    by = caller(workload(account, of, one.launched), of.address, of.agent)
    associated = one.launched + _ASSOCIATED_AFTER_S
    return [
        (one.launched, by, run_instances(account, one)),
        (associated - 5, by, allocate_address(one, account.region)),
        (associated, by, associate_address(one)),
        (one.ended - 30, by, disassociate_address(one)),
        (one.ended - 25, by, release_address(one)),
        (one.ended, by, terminate_instances(one)),
    ]


def _service(account: Account, role: str, name: str, began: float) -> Caller:
    return caller(service_role(account, role, name, began), name, name)


def run_instances(account: Account, one: Interface) -> Call:
    """A launch from a launch template, with all that EC2 answers of the instance and its interface."""
    tags = [{"key": key, "value": value} for key, value in instances.tags(account.company, one).items()]
    request = {
        "instancesSet": {"items": [{"imageId": instances.image_id(one), "minCount": 1, "maxCount": 1}]},
        "instanceType": instances.instance_type(one),
        "blockDeviceMapping": {},
        "availabilityZone": one.zone,
        "monitoring": {"enabled": False},
        "subnetId": one.subnet,
        "disableApiTermination": False,
        "disableApiStop": False,
        "clientToken": f"fleet-{one.instance[2:]}",
        "tagSpecificationSet": {"items": [{"resourceType": "instance", "tags": tags}]},
        "launchTemplate": {"launchTemplateId": f"lt-{instances.group_id(one)[3:]}", "version": "3"},
    }
    response = {
        "requestId": f"run-{one.instance[2:]}",
        "reservationId": f"r-{one.instance[2:]}",
        "ownerId": account.id,
        "groupSet": {},
        "instancesSet": {"items": [_instance(account, one, tags)]},
    }
    return Call("ec2", "RunInstances", request, response)


def _instance(account: Account, one: Interface, tags: list[dict[str, str]]) -> dict[str, Any]:
    attachment = {
        "attachmentId": instances.attachment_id(one),
        "deviceIndex": 0,
        "networkCardIndex": 0,
        "status": "attaching",
        "attachTime": int(one.launched * 1000),
        "deleteOnTermination": True,
    }
    found: dict[str, Any] = {
        "instanceId": one.instance,
        "imageId": instances.image_id(one),
        "instanceState": {"code": 0, "name": "pending"},
        "privateDnsName": instances.private_name(one),
        "amiLaunchIndex": 0,
        "productCodes": {},
        "instanceType": instances.instance_type(one),
        "launchTime": int(one.launched * 1000),
        "placement": {"availabilityZone": one.zone, "tenancy": "default"},
        "monitoring": {"state": "pending"},
        "subnetId": one.subnet,
        "vpcId": one.vpc,
        "privateIpAddress": address(one.private_ip),
        "stateReason": {"code": "pending", "message": "pending"},
        "architecture": "arm64" if instances.instance_type(one).startswith("m7g") else "x86_64",
        "rootDeviceType": "ebs",
        "rootDeviceName": "/dev/xvda",
        "blockDeviceMapping": {},
        "virtualizationType": "hvm",
        "hypervisor": "xen",
        "tagSet": {"items": tags},
        "groupSet": {"items": [{"groupId": instances.group_id(one), "groupName": instances.group_name(one)}]},
        "sourceDestCheck": True,
        "networkInterfaceSet": {"items": [{**_interface(account, one, "in-use"), "attachment": attachment}]},
        "ebsOptimized": False,
        "enaSupport": True,
    }
    profile = instances.profile(account.id, one)
    return found if profile is None else {**found, "iamInstanceProfile": profile}


def _interface(account: Account, one: Interface, status: str) -> dict[str, Any]:
    name = instances.private_name(one)
    return {
        "networkInterfaceId": one.id,
        "subnetId": one.subnet,
        "vpcId": one.vpc,
        "ownerId": account.id,
        "status": status,
        "macAddress": "02:" + ":".join(one.id[4 + i : 6 + i] for i in range(0, 10, 2)),
        "privateIpAddress": address(one.private_ip),
        "privateDnsName": name,
        "sourceDestCheck": True,
        "interfaceType": "interface",
        "groupSet": {"items": [{"groupId": instances.group_id(one), "groupName": instances.group_name(one)}]},
        "privateIpAddressesSet": {
            "item": [{"privateIpAddress": address(one.private_ip), "privateDnsName": name, "primary": True}]
        },
        "ipv6AddressesSet": {},
        "tagSet": {},
    }


def terminate_instances(one: Interface) -> Call:
    """The end of an instance; its interface goes with it, without an event."""
    ended = {
        "instanceId": one.instance,
        "currentState": {"code": 32, "name": "shutting-down"},
        "previousState": {"code": 16, "name": "running"},
    }
    request = {"instancesSet": {"items": [{"instanceId": one.instance}]}}
    return Call("ec2", "TerminateInstances", request, {"instancesSet": {"items": [ended]}})


def create_interface(account: Account, one: Interface) -> Call:
    """A node of the load balancer gets an interface."""
    description = f"ELB app/{one.kind}/{one.id[4:20]}"
    request = {
        "subnetId": one.subnet,
        "description": description,
        "groupSet": {"items": [{"groupId": instances.group_id(one)}]},
        "privateIpAddressesSet": {},
    }
    created = {
        **_interface(account, one, "pending"),
        "availabilityZone": one.zone,
        "description": description,
        "requesterManaged": True,
    }
    return Call("ec2", "CreateNetworkInterface", request, {"networkInterface": created})


def delete_interface(one: Interface) -> Call:
    return Call("ec2", "DeleteNetworkInterface", {"networkInterfaceId": one.id}, _DONE)


def allocate_address(one: Interface, region: str) -> Call:
    """An elastic address from Amazon's pool."""
    response = {
        "publicIp": address(one.public_ip or 0),
        "allocationId": instances.allocation_id(one),
        "publicIpv4Pool": "amazon",
        "networkBorderGroup": region,
        "domain": "vpc",
    }
    return Call("ec2", "AllocateAddress", {"domain": "vpc"}, response)


def associate_address(one: Interface) -> Call:
    request = {"allocationId": instances.allocation_id(one), "instanceId": one.instance}
    return Call("ec2", "AssociateAddress", request, {"associationId": instances.association_id(one), **_DONE})


def disassociate_address(one: Interface) -> Call:
    return Call("ec2", "DisassociateAddress", {"associationId": instances.association_id(one)}, _DONE)


def release_address(one: Interface) -> Call:
    return Call("ec2", "ReleaseAddress", {"allocationId": instances.allocation_id(one)}, _DONE)
