"""What is known of both ends of a finding is in every format, and any part of it is valid by the format's schema."""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, fields, replace
from functools import cache

import botocore.session
import jsonschema
import pytest
from botocore.validate import ParamValidator
from finding_examples import bucket_made_public, c2_domain, one_of_each, port_probe, ssh_brute_force
from hypothesis import given
from hypothesis import strategies as st
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from guardray.findings.actions import located
from guardray.findings.asff import to_asff
from guardray.findings.details import ThreatIntelligence
from guardray.findings.ocsf import to_ocsf
from guardray.findings.places import Place
from guardray.findings.resources import (
    Instance,
    NetworkInterface,
    PrivateAddress,
    ProductCode,
    Profile,
    Resource,
    SecurityGroup,
)
from guardray.findings.wire import to_json

PLACE = Place(
    city="Paris",
    country_code="FR",
    country_name="France",
    latitude=48.85,
    longitude=2.35,
    asn=64500,
    asn_org="Example",
    isp="Example Access",
    org="Example Clients",
)
INTERFACE = NetworkInterface(
    interface_id="eni-0a",
    private_ip="10.0.0.5",
    vpc_id="vpc-1",
    subnet_id="subnet-1",
    private_dns_name="ip-10-0-0-5.eu-west-1.compute.internal",
    private_ips=(
        PrivateAddress(ip="10.0.0.5", dns_name="ip-10-0-0-5.eu-west-1.compute.internal"),
        PrivateAddress(ip="10.0.0.6"),
    ),
    ipv6_addresses=("2001:db8::5",),
    public_ip="198.51.100.20",
    public_dns_name="ec2-198-51-100-20.eu-west-1.compute.amazonaws.com",
    security_groups=(SecurityGroup(id="sg-1", name="web"), SecurityGroup(id="sg-2")),
)
SECOND_INTERFACE = NetworkInterface(
    interface_id="eni-0b", private_ip="10.0.1.5", security_groups=(SecurityGroup(id="sg-3"),)
)
INSTANCE = Instance(
    instance_id="i-0123456789abcdef0",
    interface=INTERFACE,
    other_interfaces=(SECOND_INTERFACE,),
    image_id="ami-1",
    image_description="Linux",
    instance_type="t3.micro",
    instance_state="running",
    availability_zone="eu-west-1a",
    launch_time="2024-04-30T10:00:00Z",
    platform="windows",
    outpost_arn="arn:aws:outposts:eu-west-1:111122223333:outpost/op-1",
    profile=Profile(arn="arn:aws:iam::111122223333:instance-profile/web", id="AIPA1"),
    product_codes=(ProductCode(id="abc", type="marketplace"),),
    tags=(("Name", "web-1"), ("empty", ""), ("team", "shop")),
)
LISTS = (
    ThreatIntelligence("feodo", ("Emotet", "Heodo")),
    ThreatIntelligence("threatfox", ("Emotet",)),
    ThreatIntelligence("ours"),
)


def whole(finding):
    """The finding with all that can be known of it."""
    resource = replace(finding.resource, instance=finding.resource.instance and INSTANCE)
    action = located(finding.action, lambda _: PLACE)
    return replace(finding, resource=resource, action=action, threat_intelligence=LISTS)


def partly(value):
    """The value with any of what is optional in it forgotten."""
    optional = {one.name: one.default for one in fields(value) if one.default is not MISSING}
    forgotten = st.sets(st.sampled_from(sorted(optional)))
    return forgotten.map(lambda names: replace(value, **{name: optional[name] for name in names}))


@st.composite
def findings(draw):
    """Findings of which more or less is known."""
    finding = draw(st.sampled_from(one_of_each()))
    interface = draw(partly(INTERFACE))
    instance = replace(draw(partly(INSTANCE)), interface=interface, instance_id=draw(st.sampled_from(["i-1", None])))
    resource = replace(finding.resource, instance=draw(st.sampled_from([instance, None])))
    place = draw(partly(PLACE))
    action = located(finding.action, lambda _: None if place == Place() else place)
    if draw(st.booleans()) and "remote_ip" in {one.name for one in fields(action)}:
        remote = draw(st.sampled_from(["2001:db8::7", "198.51.100.7"]))
        action = replace(action, remote_ip=remote)
    lists = draw(st.lists(st.sampled_from(LISTS), max_size=8, unique_by=lambda one: one.list_name))
    return replace(finding, resource=resource, action=action, threat_intelligence=tuple(lists))


@cache
def ocsf_schema(*profiles):
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.5.0"))
    return jsonschema.Draft202012Validator(schema.get_class_schema("detection_finding", profiles=list(profiles)))


def ocsf_errors(event):
    """What the schema of the event's own version and profiles says against it; it knows no other members."""
    assert event["metadata"]["version"] == "1.5.0"
    schema = ocsf_schema(*event["metadata"]["profiles"])
    return [f"{error.json_path}: {error.message}" for error in schema.iter_errors(json.loads(json.dumps(event)))]


@cache
def asff_shape():
    model = botocore.session.get_session().get_service_model("securityhub")
    return model.operation_model("BatchImportFindings").input_shape


def asff_errors(finding):
    """What botocore's model says against it: by its client, and by the patterns that only the service looks at."""
    request = {"Findings": [finding]}
    report = ParamValidator().validate(request, asff_shape())
    return [*([report.generate_report()] if report.has_errors() else []), *misspelt(request, asff_shape())]


def misspelt(value, shape, path=""):
    if shape.type_name == "structure":
        for name, member in value.items():
            yield from misspelt(member, shape.members[name], f"{path}.{name}")
    elif shape.type_name == "list":
        for item in value:
            yield from misspelt(item, shape.member, f"{path}[]")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from misspelt(key, shape.key, f"{path} key")
            yield from misspelt(item, shape.value, f"{path}.{key}")
    elif shape.type_name == "string":
        pattern, enum = shape.metadata.get("pattern"), shape.metadata.get("enum")
        if (pattern and not re.search(pattern, value)) or (enum and value not in enum):
            yield f"{path}: {value!r}"


@pytest.mark.parametrize("finding", [*one_of_each(), *map(whole, one_of_each())])
def test_a_finding_of_each_action_type_is_valid_by_the_whole_schema_of_ocsf(finding):
    assert ocsf_errors(to_ocsf(finding)) == []


@given(findings())
def test_whatever_is_known_of_a_finding_it_is_valid_ocsf(finding):
    assert ocsf_errors(to_ocsf(finding)) == []


@given(findings())
def test_whatever_is_known_of_a_finding_security_hub_takes_it(finding):
    assert asff_errors(to_asff(finding)) == []


def test_ocsf_has_the_instance_among_the_resources():
    (resource,) = to_ocsf(whole(ssh_brute_force()))["resources"]
    assert (resource["ip"], resource["hostname"]) == ("10.0.0.5", "ip-10-0-0-5.eu-west-1.compute.internal")
    assert (resource["zone"], resource["created_time_dt"]) == ("eu-west-1a", "2024-04-30T10:00:00.000Z")
    assert {"name": "Name", "value": "web-1"} in resource["tags"]
    assert resource["data"] == to_json(whole(ssh_brute_force()))["resource"]["instanceDetails"]
    assert resource["data"]["networkInterfaces"][0]["securityGroups"][0] == {"groupId": "sg-1", "groupName": "web"}


def test_ocsf_has_guardduties_details_of_keys_and_buckets():
    details = to_json(bucket_made_public())["resource"]
    by_type = {one["type"]: one["data"] for one in to_ocsf(bucket_made_public())["resources"]}
    assert by_type == {"AwsIamAccessKey": details["accessKeyDetails"], "AwsS3Bucket": details["s3BucketDetails"][0]}


def test_ocsf_names_our_end_of_a_connection_and_who_asked_a_query():
    ours = {
        "instance_uid": "i-0123456789abcdef0",
        "interface_uid": "eni-0a",
        "hostname": "ip-10-0-0-5.eu-west-1.compute.internal",
        "vpc_uid": "vpc-1",
        "subnet_uid": "subnet-1",
        "ip": "10.0.0.5",
    }
    assert to_ocsf(whole(ssh_brute_force()))["evidences"][0]["dst_endpoint"] == ours | {"port": 22}
    assert to_ocsf(whole(c2_domain()))["evidences"][0]["src_endpoint"] == ours


def test_ocsf_has_every_list_as_an_indicator():
    event = to_ocsf(whole(ssh_brute_force()))
    assert event["metadata"]["profiles"] == ["cloud", "datetime", "osint"]
    address = {"value": "198.51.100.7", "type_id": 1, "type": "IP Address", "name": "evidences[].src_endpoint.ip"}
    assert event["osint"] == [
        address | {"vendor_name": "feodo", "labels": ["Emotet", "Heodo"]},
        address | {"vendor_name": "threatfox", "labels": ["Emotet"]},
        address | {"vendor_name": "ours"},
    ]
    (asked,) = to_ocsf(c2_domain())["osint"]
    assert (asked["type"], asked["value"], asked["vendor_name"]) == ("Domain", "c2.example.net", "feodo")
    assert "osint" not in to_ocsf(bucket_made_public())


@pytest.mark.parametrize(
    ("finding_type", "kind"),
    [
        ("Behavior:EC2/NetworkPortUnusual", "Behavioral"),
        ("Discovery:S3/AnomalousBehavior", "Behavioral"),
        ("Recon:EC2/Portscan", "Rule"),
    ],
)
def test_ocsf_tells_what_was_learned_from_rules(finding_type: str, kind: str):
    event = to_ocsf(replace(ssh_brute_force(), type=finding_type))
    assert event["finding_info"]["analytic"]["type"] == kind
    assert ocsf_errors(event) == []


def test_a_port_without_an_address_is_no_endpoint_of_ocsf():
    unknown = replace(ssh_brute_force(), action=replace(ssh_brute_force().action, remote_ip=None))
    event = to_ocsf(unknown)
    assert "src_endpoint" not in event["evidences"][0]
    assert event["evidences"][0]["data"]["networkConnectionAction"]["remotePortDetails"]["port"] == 50211
    assert ocsf_errors(event) == []


def test_security_hub_is_told_of_the_instance():
    (resource,) = to_asff(whole(ssh_brute_force()))["Resources"]
    assert resource["Tags"] == {"Name": "web-1", "team": "shop"}
    assert resource["Details"] == {
        "AwsEc2Instance": {
            "Type": "t3.micro",
            "ImageId": "ami-1",
            "IpV4Addresses": ["10.0.0.5", "10.0.0.6", "198.51.100.20", "10.0.1.5"],
            "IpV6Addresses": ["2001:db8::5"],
            "IamInstanceProfileArn": "arn:aws:iam::111122223333:instance-profile/web",
            "VpcId": "vpc-1",
            "SubnetId": "subnet-1",
            "LaunchedAt": "2024-04-30T10:00:00Z",
            "NetworkInterfaces": [{"NetworkInterfaceId": "eni-0a"}, {"NetworkInterfaceId": "eni-0b"}],
        },
        "Other": {
            "SecurityGroups": "sg-1 (web), sg-2, sg-3",
            "PrivateDnsName": "ip-10-0-0-5.eu-west-1.compute.internal",
            "PublicDnsName": "ec2-198-51-100-20.eu-west-1.compute.amazonaws.com",
            "AvailabilityZone": "eu-west-1a",
            "InstanceState": "running",
            "Platform": "windows",
            "ImageDescription": "Linux",
            "IamInstanceProfileId": "AIPA1",
            "ProductCodes": "abc",
            "OutpostArn": "arn:aws:outposts:eu-west-1:111122223333:outpost/op-1",
        },
    }


def test_security_hub_is_told_of_an_interface_whose_instance_nobody_knows():
    lone = Instance(instance_id=None, interface=INTERFACE)
    (resource,) = to_asff(replace(port_probe(), resource=Resource(resource_type="Instance", instance=lone)))[
        "Resources"
    ]
    assert resource["Details"] == {
        "AwsEc2NetworkInterface": {
            "NetworkInterfaceId": "eni-0a",
            "SecurityGroups": [{"GroupId": "sg-1", "GroupName": "web"}, {"GroupId": "sg-2"}],
            "IpV6Addresses": [{"IpV6Address": "2001:db8::5"}],
            "PrivateIpAddresses": [
                {"PrivateIpAddress": "10.0.0.5", "PrivateDnsName": "ip-10-0-0-5.eu-west-1.compute.internal"},
                {"PrivateIpAddress": "10.0.0.6"},
            ],
            "PublicDnsName": "ec2-198-51-100-20.eu-west-1.compute.amazonaws.com",
            "PublicIp": "198.51.100.20",
        },
        "Other": {"VpcId": "vpc-1", "SubnetId": "subnet-1"},
    }


def test_security_hub_is_told_of_lists_and_threats():
    asff = to_asff(whole(c2_domain()))
    indicator = {"Type": "DOMAIN", "Value": "c2.example.net", "Category": "COMMAND_AND_CONTROL"}
    indicator |= {"LastObservedAt": asff["LastObservedAt"]}
    assert asff["ThreatIntelIndicators"] == [indicator | {"Source": one.list_name} for one in LISTS]
    assert asff["Threats"] == [{"Name": "Emotet"}, {"Name": "Heodo"}]
    (probed, *_) = to_asff(whole(port_probe()))["ThreatIntelIndicators"]
    assert (probed["Type"], probed["Value"], "Category" in probed) == ("IPV4_ADDRESS", "198.51.100.9", False)


def test_what_security_hub_limits_is_cut_and_the_count_is_never_pushed_out():
    lists = tuple(ThreatIntelligence(f"{n}{'list' * 30}", (f"threat {n}{'x' * 200}",)) for n in range(40))
    many = tuple((f"key {n:02}{'k' * 200}", "v" * 500) for n in range(60))
    crowded = replace(
        port_probe(),
        threat_intelligence=lists,
        resource=Resource(resource_type="Instance", instance=replace(INSTANCE, tags=many)),
    )
    asff = to_asff(crowded)
    assert asff_errors(asff) == []
    assert (len(asff["ThreatIntelIndicators"]), len(asff["Threats"])) == (5, 32)
    assert max(len(one["Source"]) for one in asff["ThreatIntelIndicators"]) == 64
    assert max(len(one["Name"]) for one in asff["Threats"]) == 128
    tags = asff["Resources"][0]["Tags"]
    assert (len(tags), max(map(len, tags)), max(map(len, tags.values()))) == (50, 128, 256)
    assert asff["ProductFields"]["guardduty/service/count"] == "1"


def test_an_ipv6_address_is_an_indicator_of_its_kind():
    assert to_asff(whole(bucket_made_public()))["ThreatIntelIndicators"][0]["Type"] == "IPV6_ADDRESS"
