"""An instance is described as it was at the time of the finding."""

from __future__ import annotations

from guardray.findings.resources import Instance, NetworkInterface, PrivateAddress, Profile, SecurityGroup
from guardray.inventory import Inventory, facts_of

from .events import ACCOUNT, REGION, SUBNET, VPC, at, batch, event, interface, launch, terminate


def described(events, minutes, **asked):
    return Inventory(facts_of(batch(*events))).instance(ACCOUNT, REGION, time=at(minutes), **asked)


LAUNCHED = launch(0, "i-1", "eni-1", "10.0.0.5")


def test_a_launch_tells_all_that_the_finding_needs():
    found = described([LAUNCHED], 5, private_ip="10.0.0.5", vpc_uid=VPC)
    assert found.instance_id == "i-1"
    assert (found.image_id, found.instance_type, found.instance_state) == ("ami-1", "t3.micro", "running")
    assert (found.availability_zone, found.launch_time) == ("eu-west-1a", "2026-01-05T00:00:00Z")
    assert found.profile == Profile(arn=f"arn:aws:iam::{ACCOUNT}:instance-profile/web", id="AIPA1")
    assert found.tags == (("Name", "web-1"),)
    name = "ip-10-0-0-5.eu-west-1.compute.internal"
    assert found.interface == NetworkInterface(
        interface_id="eni-1",
        private_ip="10.0.0.5",
        vpc_id=VPC,
        subnet_id=SUBNET,
        private_dns_name=name,
        private_ips=(PrivateAddress(ip="10.0.0.5", dns_name=name),),
        security_groups=(SecurityGroup(id="sg-1", name="web"),),
    )


def test_nothing_is_known_before_the_launch_or_of_others():
    assert described([LAUNCHED], -5, instance_uid="i-1") is None
    assert described([LAUNCHED], 5, instance_uid="i-2") is None


def test_tags_come_and_go():
    def tags(minutes, name, **tags):
        items = [{"key": key, "value": value} for key, value in tags.items()]
        request = {"resourcesSet": {"items": [{"resourceId": "i-1"}]}, "tagSet": {"items": items}}
        return event(minutes, name, request, {"_return": True})

    events = [LAUNCHED, tags(10, "CreateTags", owner="ada", Name="web-2"), tags(20, "DeleteTags", owner="ada")]
    assert [dict(described(events, m, instance_uid="i-1").tags) for m in (5, 15, 25)] == [
        {"Name": "web-1"},
        {"Name": "web-2", "owner": "ada"},
        {"Name": "web-2"},
    ]


def test_groups_set_on_the_instance_are_those_of_its_interface():
    request = {"instanceId": "i-1", "groupSet": {"items": [{"groupId": "sg-9"}]}}
    found = described([LAUNCHED, event(10, "ModifyInstanceAttribute", request)], 15, instance_uid="i-1")
    assert found.interface.security_groups == (SecurityGroup(id="sg-9"),)


def test_groups_set_on_the_interface_count_too():
    request = {"networkInterfaceId": "eni-1", "groupSet": {"items": [{"groupId": "sg-8"}]}}
    found = described([LAUNCHED, event(10, "ModifyNetworkInterfaceAttribute", request)], 15, instance_uid="i-1")
    assert found.interface.security_groups == (SecurityGroup(id="sg-8"),)


def test_an_elastic_address_is_public_while_it_is_associated():
    events = [
        LAUNCHED,
        event(1, "AllocateAddress", {"domain": "vpc"}, {"publicIp": "198.51.100.9", "allocationId": "eipalloc-1"}),
        event(
            10,
            "AssociateAddress",
            {"allocationId": "eipalloc-1", "instanceId": "i-1"},
            {"associationId": "eipassoc-1", "_return": True},
        ),
        event(20, "DisassociateAddress", {"associationId": "eipassoc-1"}),
    ]
    found = [described(events, m, instance_uid="i-1").interface.public_ip for m in (5, 15, 25)]
    assert found == [None, "198.51.100.9", None]


def test_the_interface_asked_for_comes_first():
    attach = {"networkInterfaceId": "eni-2", "instanceId": "i-1"}
    events = [
        LAUNCHED,
        event(1, "CreateNetworkInterface", {}, {"networkInterface": interface("eni-2", "10.0.0.6")}),
        event(2, "AttachNetworkInterface", attach, {"attachmentId": "eni-attach-2"}),
    ]
    found = described(events, 5, interface_uid="eni-2")
    assert (found.instance_id, found.interface.private_ip) == ("i-1", "10.0.0.6")
    assert [one.interface_id for one in found.other_interfaces] == ["eni-1"]
    assert described(events, 5, instance_uid="i-1").interface.interface_id == "eni-1"


def test_states_follow_the_calls():
    named = {"instancesSet": {"items": [{"instanceId": "i-1"}]}}
    events = [LAUNCHED, event(10, "StopInstances", named), event(20, "StartInstances", named), terminate(30, "i-1")]
    states = [described(events, minutes, instance_uid="i-1").instance_state for minutes in (5, 15, 25, 31)]
    assert states == ["running", "stopped", "running", "terminated"]


def test_a_new_profile_replaces_the_old_one():
    answer = {"instanceId": "i-1", "iamInstanceProfile": {"arn": "arn:new", "id": "AIPA2"}}
    response = {"AssociateIamInstanceProfileResponse": {"iamInstanceProfileAssociation": answer}}
    found = described([LAUNCHED, event(10, "AssociateIamInstanceProfile", {}, response)], 15, instance_uid="i-1")
    assert found.profile == Profile(arn="arn:new", id="AIPA2")


def test_a_finding_keeps_what_only_its_logs_said():
    inventory = Inventory(facts_of(batch(LAUNCHED)))
    said = Instance(
        instance_id=None, interface=NetworkInterface(interface_id="eni-1", public_dns_name="logged.example")
    )
    found = inventory.completed(ACCOUNT, REGION, said, at(5))
    assert (found.instance_id, found.interface.private_ip) == ("i-1", "10.0.0.5")
    assert found.interface.public_dns_name == "logged.example"
    unknown = Instance(instance_id="i-9", interface=NetworkInterface(private_ip="2001:db8::1"))
    assert inventory.completed(ACCOUNT, REGION, unknown, at(5)) == unknown
