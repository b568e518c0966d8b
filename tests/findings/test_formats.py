"""The other output formats, against the models of those who read them."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import botocore.session
import pytest
from botocore.validate import ParamValidator
from finding_examples import (
    bucket_made_public,
    c2_domain,
    one_of_each,
    port_probe,
    ssh_brute_force,
)

from guardray.errors import UsageError
from guardray.findings.actions import AwsApiCall
from guardray.findings.asff import to_asff
from guardray.findings.finding import Finding
from guardray.findings.ocsf import to_ocsf
from guardray.findings.resources import AccessKey, Instance, NetworkInterface, Resource
from guardray.findings.wire import to_json
from guardray.findings.writers import write_findings

NOBODY = AccessKey(user_type=None, user_name=None, principal_id=None, access_key_id=None)
BARE_INTERFACE = Instance(instance_id=None, interface=NetworkInterface(interface_id="eni-1", private_ip="2001:db8::1"))


def odd_findings() -> list[Finding]:
    """Findings of which little is known."""
    service_call = AwsApiCall(api="DeleteTrail", service_name="cloudtrail.amazonaws.com", domain="config.amazonaws.com")
    return [
        replace(bucket_made_public(), resource=Resource(resource_type="AccessKey", access_key=NOBODY)),
        replace(bucket_made_public(), action=service_call, archived=True),
        replace(ssh_brute_force(), resource=Resource(resource_type="Instance", instance=BARE_INTERFACE)),
        replace(ssh_brute_force(), action=replace(ssh_brute_force().action, remote_ip=None, protocol_num=None)),
    ]


@pytest.mark.parametrize("finding", [*one_of_each(), *odd_findings()])
def test_security_hub_takes_asff(finding):
    model = botocore.session.get_session().get_service_model("securityhub")
    shape = model.operation_model("BatchImportFindings").input_shape
    report = ParamValidator().validate({"Findings": [to_asff(finding)]}, shape)
    assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize("finding", [*one_of_each(), *odd_findings()])
def test_ocsf_is_a_detection_finding(finding):
    model = pytest.importorskip("py_ocsf_models.events.findings.detection_finding").DetectionFinding
    event = to_ocsf(finding)
    parsed = model.model_validate(json.loads(json.dumps(event)))
    assert (parsed.class_uid, parsed.finding_info.uid, parsed.count) == (2004, finding.arn, finding.count)
    assert parsed.finding_info.first_seen_time_dt == finding.event_first_seen
    assert parsed.type_uid == event["class_uid"] * 100 + parsed.activity_id


def test_asff_says_what_guardduty_tells_security_hub():
    asff = to_asff(ssh_brute_force())
    assert asff["Types"] == ["TTPs/Initial Access/UnauthorizedAccess:EC2-SSHBruteForce"]
    assert asff["Severity"] == {"Product": 2.0, "Label": "LOW", "Normalized": 1}
    assert asff["GeneratorId"] == asff["Id"].partition("/finding/")[0]
    fields = asff["ProductFields"]
    assert fields["guardduty/service/action/networkConnectionAction/localPortDetails/portName"] == "SSH"
    assert fields["guardduty/service/archived"] == "false"
    assert "guardduty/service/evidence" not in fields, "Security Hub takes no empty text"
    assert asff["Resources"] == [
        {
            "Type": "AwsEc2Instance",
            "Id": "arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0",
            "Partition": "aws",
            "Region": "eu-west-1",
            "Details": {
                "AwsEc2Instance": {
                    "IpV4Addresses": ["10.0.0.5"],
                    "VpcId": "vpc-1",
                    "SubnetId": "subnet-1",
                    "NetworkInterfaces": [{"NetworkInterfaceId": "eni-0a"}],
                }
            },
        }
    ]
    names = to_asff(port_probe())["ProductFields"]
    assert names["guardduty/service/evidence/threatIntelligenceDetails.0_/threatNames.1_"] == "Mirai"


def test_asff_stays_inside_security_hubs_limits():
    wordy = replace(
        bucket_made_public(),
        title="t" * 300,
        description="d" * 2000,
        additional_info={f"{n:02}": "v" * 3000 for n in range(90)} | {"k" * 200: "v"},
    )
    asff = to_asff(wordy)
    assert (len(asff["Title"]), len(asff["Description"]), len(asff["ProductFields"])) == (256, 1024, 50)
    assert max(len(text) for text in asff["ProductFields"].values()) == 2048
    assert max(len(name) for name in asff["ProductFields"]) <= 128


def test_ocsf_puts_whoever_acts_at_the_source():
    inbound = to_ocsf(ssh_brute_force())["evidences"][0]
    assert inbound["src_endpoint"] == {"ip": "198.51.100.7", "port": 50211}
    outward = replace(ssh_brute_force(), action=replace(ssh_brute_force().action, direction="OUTBOUND"))
    assert to_ocsf(outward)["evidences"][0]["dst_endpoint"] == {"ip": "198.51.100.7", "port": 50211}
    assert to_ocsf(outward)["observables"][-1]["name"] == "evidences[].dst_endpoint.ip"


def test_a_finding_that_was_counted_again_is_an_ocsf_update():
    again = replace(c2_domain(), updated_at=c2_domain().event_last_seen)
    assert (to_ocsf(c2_domain())["activity_name"], to_ocsf(again)["activity_name"]) == ("Create", "Update")


@pytest.mark.parametrize(("format_", "shape"), [("jsonl", to_json), ("ocsf", to_ocsf), ("asff", to_asff)])
def test_one_object_a_line_most_urgent_first(format_, shape):
    stream = io.StringIO()
    write_findings(one_of_each(), stream, format_)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert lines == [shape(finding) for finding in [c2_domain(), bucket_made_public(), ssh_brute_force(), port_probe()]]


def test_an_unknown_format_is_answered_with_the_known_ones():
    with pytest.raises(UsageError, match="'xml' is not one of table, jsonl, ocsf, asff"):
        write_findings([], io.StringIO(), "xml")
