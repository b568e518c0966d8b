"""Where the other end of a finding is, in each format."""

from __future__ import annotations

from dataclasses import replace

import botocore.session
import pytest
from botocore.validate import ParamValidator
from finding_examples import bucket_made_public, c2_domain, port_probe, ssh_brute_force

from guardray.findings.actions import located
from guardray.findings.asff import to_asff
from guardray.findings.ocsf import to_ocsf
from guardray.findings.places import Place
from guardray.findings.wire import to_json

PARIS = Place(
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


def in_paris(finding):
    return replace(finding, action=located(finding.action, lambda _: PARIS))


def test_guardduty_is_told_the_place_with_the_number_of_the_network_as_text():
    details = to_json(in_paris(ssh_brute_force()))["service"]["action"]["networkConnectionAction"]["remoteIpDetails"]
    assert details == {
        "ipAddressV4": "198.51.100.7",
        "organization": {"asn": "64500", "asnOrg": "Example", "isp": "Example Access", "org": "Example Clients"},
        "country": {"countryCode": "FR", "countryName": "France"},
        "city": {"cityName": "Paris"},
        "geoLocation": {"lat": 48.85, "lon": 2.35},
    }


@pytest.mark.parametrize("finding", [ssh_brute_force(), bucket_made_public(), port_probe()])
def test_security_hub_takes_places(finding):
    shape = botocore.session.get_session().get_service_model("securityhub").operation_model("BatchImportFindings")
    report = ParamValidator().validate({"Findings": [to_asff(in_paris(finding))]}, shape.input_shape)
    assert not report.has_errors(), report.generate_report()


def test_security_hub_wants_the_number_of_the_network_as_a_number():
    details = to_asff(in_paris(ssh_brute_force()))["Action"]["NetworkConnectionAction"]["RemoteIpDetails"]
    assert details["Organization"]["Asn"] == 64500
    assert details["Country"] == {"CountryCode": "FR", "CountryName": "France"}


@pytest.mark.parametrize("finding", [ssh_brute_force(), bucket_made_public(), port_probe()])
def test_ocsf_has_the_place_on_the_endpoint(finding):
    source = to_ocsf(in_paris(finding))["evidences"][0]["src_endpoint"]
    assert source["location"] == {"city": "Paris", "country": "FR", "lat": 48.85, "long": 2.35}
    assert source["isp"] == "Example Access"
    assert source["autonomous_system"] == {"number": 64500, "name": "Example"}


def test_a_domain_has_no_place():
    action = c2_domain().action
    assert located(action, lambda _: PARIS) is action


def test_an_unknown_address_is_not_asked_about():
    action = replace(ssh_brute_force().action, remote_ip=None)
    assert located(action, lambda _: PARIS) is action


def test_a_place_of_which_nothing_is_known_leaves_the_address_alone():
    unknown = replace(ssh_brute_force(), action=located(ssh_brute_force().action, lambda _: None))
    assert to_json(unknown) == to_json(ssh_brute_force())
