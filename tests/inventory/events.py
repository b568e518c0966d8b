"""EC2's CloudTrail events as batches, in the shapes that AWS writes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from guardray.schema import api_activity

START = datetime(2026, 1, 5, tzinfo=UTC)
ACCOUNT, REGION, VPC, SUBNET = "111122223333", "eu-west-1", "vpc-1", "subnet-1"


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def event(minutes: float, name: str, request: Any = None, response: Any = None, **columns: Any) -> dict[str, Any]:
    return {
        "time": at(minutes),
        "cloud_account_uid": ACCOUNT,
        "cloud_region": REGION,
        "api_service_name": "ec2.amazonaws.com",
        "api_operation": name,
        "api_request_data": json.dumps(request),
        "api_response_data": json.dumps(response),
    } | columns


def batch(*events: dict[str, Any]) -> pl.DataFrame:
    return api_activity.SCHEMA.frame(events)


def interface(uid: str, ip: str, vpc: str = VPC) -> dict[str, Any]:
    return {
        "networkInterfaceId": uid,
        "subnetId": SUBNET,
        "vpcId": vpc,
        "privateIpAddress": ip,
        "privateDnsName": f"ip-{ip.replace('.', '-')}.{REGION}.compute.internal",
        "groupSet": {"items": [{"groupId": "sg-1", "groupName": "web"}]},
        "privateIpAddressesSet": {"item": [{"privateIpAddress": ip, "primary": True}]},
        "ipv6AddressesSet": {},
    }


def launch(minutes: float, instance: str, uid: str, ip: str, vpc: str = VPC) -> dict[str, Any]:
    attachment = {"attachmentId": f"eni-attach-{uid}", "deviceIndex": 0, "deleteOnTermination": True}
    launched = {
        "instanceId": instance,
        "imageId": "ami-1",
        "instanceType": "t3.micro",
        "instanceState": {"code": 0, "name": "pending"},
        "launchTime": int(at(minutes).timestamp() * 1000),
        "placement": {"availabilityZone": f"{REGION}a", "tenancy": "default"},
        "vpcId": vpc,
        "subnetId": SUBNET,
        "privateIpAddress": ip,
        "productCodes": {},
        "iamInstanceProfile": {"arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/web", "id": "AIPA1"},
        "tagSet": {"items": [{"key": "Name", "value": "web-1"}]},
        "networkInterfaceSet": {"items": [interface(uid, ip, vpc) | {"attachment": attachment}]},
    }
    return event(minutes, "RunInstances", {"instanceType": "t3.micro"}, {"instancesSet": {"items": [launched]}})


def terminate(minutes: float, instance: str) -> dict[str, Any]:
    return event(minutes, "TerminateInstances", {"instancesSet": {"items": [{"instanceId": instance}]}})
