"""GuardDuty's JSON: golden examples, reading back, and Amazon's own client."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import botocore.session
import pytest
from botocore.parsers import create_parser
from finding_examples import bucket_made_public, c2_domain, one_of_each, port_probe, ssh_brute_force
from hypothesis import given
from hypothesis import strategies as st

from guardray.findings.actions import AwsApiCall, DnsRequest, NetworkConnection, PortProbe
from guardray.findings.places import Place
from guardray.findings.resources import (
    AccessKey,
    Instance,
    NetworkInterface,
    PrivateAddress,
    ProductCode,
    Profile,
    PublicAccess,
    Resource,
    S3Bucket,
    SecurityGroup,
)
from guardray.findings.wire import from_json, to_json

GOLDEN = Path(__file__).parent / "golden"
MODEL = botocore.session.get_session().get_service_model("guardduty")


@pytest.mark.parametrize("finding", one_of_each(), ids=lambda finding: type(finding.action).__name__)
def test_a_finding_of_each_action_type_is_written_as_it_always_was(finding):
    golden = (GOLDEN / f"{type(finding.action).__name__}.json").read_text()
    assert json.dumps(to_json(finding), indent=1) + "\n" == golden


def unknown_members(value, shape, path="finding"):
    """Members that botocore's model does not have, and so would drop."""
    if shape.type_name == "structure":
        names = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
        for name, member in value.items():
            if name not in names:
                yield f"{path}.{name}"
            elif member is not None:
                yield from unknown_members(member, names[name][1], f"{path}.{name}")
    elif shape.type_name == "list":
        for item in value:
            yield from unknown_members(item, shape.member, f"{path}[]")


@pytest.mark.parametrize("finding", one_of_each(), ids=lambda finding: type(finding.action).__name__)
def test_botocore_knows_every_member(finding):
    unknown = set(unknown_members(to_json(finding), MODEL.shape_for("Finding")))
    # The keys of additionalInfo are spelled out for readers of raw JSON; clients have them in `value`.
    expanded = {f"finding.service.additionalInfo.{key}" for key in to_json(finding)["service"]["additionalInfo"]}
    assert unknown <= expanded


def test_botocore_knows_every_member_of_an_instance_that_is_known_well():
    def filled(cls, **members):
        return cls(**{one.name: one.name for one in fields(cls)} | members)

    interface = filled(
        NetworkInterface,
        private_ips=(filled(PrivateAddress),),
        ipv6_addresses=("2001:db8::1",),
        security_groups=(filled(SecurityGroup),),
    )
    instance = filled(
        Instance,
        interface=interface,
        other_interfaces=(interface,),
        profile=filled(Profile),
        product_codes=(filled(ProductCode),),
        tags=(("Name", "web-1"),),
    )
    written = to_json(replace(ssh_brute_force(), resource=Resource(resource_type="Instance", instance=instance)))
    body = json.dumps({"findings": [written]}).encode()
    response = {"status_code": 200, "headers": {}, "body": body}
    shape = MODEL.operation_model("GetFindings").output_shape
    parsed = create_parser("rest-json").parse(response, shape)["Findings"][0]["Resource"]["InstanceDetails"]
    model = MODEL.shape_for("InstanceDetails")
    assert set(parsed) == set(model.members)
    assert set(parsed["NetworkInterfaces"][1]) == set(model.members["NetworkInterfaces"].member.members)
    assert instance.security_groups == (filled(SecurityGroup),)


@pytest.mark.parametrize("finding", one_of_each(), ids=lambda finding: type(finding.action).__name__)
def test_botocore_reads_get_findings(finding):
    body = json.dumps({"findings": [to_json(finding)]}).encode()
    operation = MODEL.operation_model("GetFindings")
    response = {"status_code": 200, "headers": {}, "body": body}
    parsed = create_parser("rest-json").parse(response, operation.output_shape)["Findings"][0]
    assert parsed["Severity"] == finding.severity
    assert parsed["Service"]["Count"] == finding.count
    assert parsed["Service"]["EventLastSeen"].endswith("Z")
    assert json.loads(parsed["Service"]["AdditionalInfo"]["Value"]).keys() >= finding.additional_info.keys()


def test_the_first_threat_list_is_told_in_additional_info_too():
    service = to_json(port_probe())["service"]
    info = service["additionalInfo"]
    assert (info["threatListName"], info["threatName"]) == ("scanners", "Scanner")
    assert json.loads(info["value"]) == {"threatListName": "scanners", "threatName": "Scanner"}
    assert len(service["evidence"]["threatIntelligenceDetails"]) == 2
    assert to_json(ssh_brute_force())["service"]["evidence"] is None


def test_a_whole_severity_is_written_whole():
    assert json.dumps(to_json(c2_domain())["severity"]) == "9"
    assert json.dumps(to_json(replace(c2_domain(), severity=4.5))["severity"]) == "4.5"


def test_ports_and_protocols_without_a_name_keep_their_number():
    odd = replace(ssh_brute_force().action, protocol_num=253, local_port=4, remote_port=None)
    action = to_json(replace(ssh_brute_force(), action=odd))["service"]["action"]["networkConnectionAction"]
    assert action["protocol"] == "253"
    assert action["localPortDetails"] == {"port": 4, "portName": "Unknown"}
    assert "remotePortDetails" not in action


def test_a_call_by_a_service_names_its_domain_and_no_address():
    call = AwsApiCall(api="DeleteTrail", service_name="cloudtrail.amazonaws.com", domain="config.amazonaws.com")
    action = to_json(replace(bucket_made_public(), action=call))["service"]["action"]["awsApiCallAction"]
    assert action["callerType"] == "Domain"
    assert action["domainDetails"] == {"domain": "config.amazonaws.com"}
    assert "remoteIpDetails" not in action


def test_an_action_of_another_program_is_refused_by_name():
    foreign = to_json(c2_domain())
    foreign["service"]["action"] = {"actionType": "RDS_LOGIN_ATTEMPT"}
    with pytest.raises(ValueError, match="RDS_LOGIN_ATTEMPT"):
        from_json(foreign)


addresses = st.ip_addresses().map(str)
ports = st.integers(0, 65535)
texts = st.text(min_size=1, max_size=8)
organisations = st.builds(Place, asn=st.integers(0, 2**32 - 1), asn_org=st.none() | texts, isp=st.none() | texts)
positions = st.builds(
    Place,
    city=st.none() | texts,
    country_code=texts,
    country_name=st.none() | texts,
    latitude=st.floats(-90, 90),
    longitude=st.floats(-180, 180),
    org=st.none() | texts,
)
places = st.none() | organisations | positions


def only_with_address(action):
    return action if action.remote_ip is not None else replace(action, remote_place=None)


actions = st.one_of(
    st.builds(
        AwsApiCall,
        api=texts,
        service_name=texts,
        remote_ip=st.none() | addresses,
        domain=st.none() | texts,
        error_code=st.none() | texts,
        user_agent=st.none() | texts,
        remote_account_id=st.none() | texts,
        affected_resources=st.dictionaries(texts, texts, max_size=2),
        remote_place=places,
    ).map(only_with_address),
    st.builds(
        NetworkConnection,
        direction=st.sampled_from(["INBOUND", "OUTBOUND", "UNKNOWN"]),
        protocol_num=st.none() | st.integers(0, 255),
        local_ip=st.none() | addresses,
        local_port=st.none() | ports,
        remote_ip=st.none() | addresses,
        remote_port=st.none() | ports,
        blocked=st.booleans(),
        interface_id=st.none() | texts,
        remote_place=places,
    ).map(only_with_address),
    st.builds(
        PortProbe,
        local_port=ports,
        local_ip=st.none() | addresses,
        remote_ip=addresses,
        blocked=st.booleans(),
        remote_place=places,
    ),
    st.builds(
        DnsRequest,
        domain=texts,
        domain_with_suffix=st.none() | texts,
        protocol=st.none() | texts,
        blocked=st.booleans(),
    ),
)
interfaces = st.builds(
    NetworkInterface,
    interface_id=st.none() | texts,
    private_ip=st.none() | addresses,
    vpc_id=st.none() | texts,
    subnet_id=st.none() | texts,
    private_dns_name=st.none() | texts,
    private_ips=st.lists(st.builds(PrivateAddress, ip=texts, dns_name=st.none() | texts), max_size=2).map(tuple),
    public_ip=st.none() | texts,
    public_dns_name=st.none() | texts,
    security_groups=st.lists(st.builds(SecurityGroup, id=texts, name=st.none() | texts), max_size=2).map(tuple),
)
instances = st.builds(
    Instance,
    instance_id=st.none() | texts,
    interface=interfaces,
    other_interfaces=st.lists(interfaces, max_size=1).map(tuple),
    instance_type=st.none() | texts,
    launch_time=st.none() | texts,
    profile=st.none() | st.builds(Profile, arn=texts, id=st.none() | texts),
    product_codes=st.lists(st.builds(ProductCode, id=texts, type=texts), max_size=1).map(tuple),
    tags=st.lists(st.tuples(texts, texts), max_size=2).map(tuple),
)
buckets = st.builds(
    S3Bucket,
    name=texts,
    public_access=st.none() | st.builds(PublicAccess, effective_permission=texts, acl_write=st.booleans()),
    object_key=st.none() | texts,
)
keys = st.builds(
    AccessKey, user_type=st.none() | texts, user_name=texts, principal_id=st.none(), access_key_id=st.none() | texts
)
resources = st.builds(
    Resource,
    resource_type=st.sampled_from(["AccessKey", "Instance", "S3Bucket"]),
    access_key=st.none() | keys,
    instance=st.none() | instances,
    s3_buckets=st.lists(buckets, max_size=2).map(tuple),
)
infos = st.dictionaries(
    texts | st.sampled_from(["threatListName", "type", "value"]), texts | st.integers(-9, 9) | st.none(), max_size=3
)


@given(action=actions, resource=resources, info=infos, finding=st.sampled_from(one_of_each()))
def test_what_is_written_is_read_back(action, resource, info, finding):
    finding = replace(finding, action=action, resource=resource, additional_info=info)
    assert from_json(json.loads(json.dumps(to_json(finding)))) == finding
