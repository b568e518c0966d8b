"""What findings about listed addresses and domains say."""

from __future__ import annotations

import pytest

from guardray.detectors.ec2 import (
    listed_destinations,
    listed_domains,
    malicious_ip_caller_custom,
    port_probe,
    tor_relay,
)
from guardray.detectors.ec2.connections import flow
from guardray.detectors.ec2.queries import query
from guardray.detectors.loader import load_detectors
from guardray.findings.actions import PortProbe
from guardray.findings.details import ThreatIntelligence
from guardray.intel.store import IndicatorStore
from guardray.testing import findings_from, frame_of

C2 = listed_destinations.DETECTORS[0]
CUSTOM = malicious_ip_caller_custom.DETECTOR


def found(detector, rows, **indicators):
    return findings_from(detector, frame_of(detector.schema, rows), IndicatorStore.of(indicators, list_name="lab"))


def test_the_list_and_a_blocked_attempt_are_named():
    rows = [flow(is_rejected=True)]
    (finding,) = found(C2, rows, **{"198.51.100.7": "c2"})
    assert finding.threat_intelligence == (ThreatIntelligence("lab"),)
    assert finding.action.blocked
    assert (finding.action.local_port, finding.action.remote_ip, finding.action.remote_port) == (
        50000,
        "198.51.100.7",
        443,
    )
    assert "lab" in finding.description


def test_several_listed_addresses_are_one_finding_of_the_instance():
    rows = [flow(target=f"198.51.100.{host}") for host in (7, 8, 9)]
    (finding,) = found(C2, rows, **{"198.51.100.0/24": "c2"})
    assert (finding.count, finding.action.remote_ip) == (3, "198.51.100.9")


@pytest.mark.parametrize(
    ("rows", "role", "direction"),
    [
        ([flow(dst_endpoint_port=8009)], "ACTOR", "OUTBOUND"),
        ([malicious_ip_caller_custom.CALL, malicious_ip_caller_custom.ANSWER], "TARGET", "INBOUND"),
    ],
    ids=["ours began", "theirs began"],
)
def test_the_role_says_who_began(rows, role, direction):
    (finding,) = found(CUSTOM, rows, **{"198.51.100.7": "custom"})
    assert (finding.resource_role, finding.action.direction) == (role, direction)
    assert finding.additional_info == {"threatListName": "lab"}


def test_a_query_of_an_unnamed_client_is_about_its_address():
    rows = [query("c2.bad.example", instance_uid=None)]
    (finding,) = found(listed_domains.DETECTORS[0], rows, **{"bad.example": "c2"})
    assert finding.resource.instance.instance_id is None
    assert finding.resource.instance.interface.private_ip == "10.0.0.5"
    assert finding.action.domain == "c2.bad.example"
    assert finding.title.startswith("vpc-0123456789abcdef0/10.0.0.5 asked for")


def test_an_open_port_is_named_with_the_scanner_and_its_list():
    rows = [port_probe.probe(22), port_probe.answer(22)]
    (finding,) = found(port_probe.DETECTORS[0], rows, **{"198.51.100.7": "scanner"})
    assert finding.action == PortProbe(local_port=22, local_ip="10.0.0.5", remote_ip="198.51.100.7")
    assert (finding.resource_role, finding.threat_intelligence) == ("TARGET", (ThreatIntelligence("lab"),))


def test_a_relay_is_told_by_how_many_it_asked_and_how_many_asked_it():
    (finding,) = findings_from(
        tor_relay.DETECTOR,
        frame_of(tor_relay.DETECTOR.schema, tor_relay.DETECTOR.examples[0].rows),
        IndicatorStore.of(tor_relay.LISTED, "lab"),
    )
    assert "connected to about 20 Tor relays" in finding.description
    assert (finding.resource.instance.interface.private_ip, finding.action.remote_ip) == ("10.0.0.5", "198.51.100.40")
    assert finding.threat_intelligence == (ThreatIntelligence("lab"),)


@pytest.mark.parametrize(
    ("finding_type", "category", "name"),
    [
        ("Impact:EC2/AbusedDomainRequest.Reputation", "reputation-abused", "abused-rep.guarddutyc2activityb.com"),
        ("Impact:EC2/BitcoinDomainRequest.Reputation", "reputation-crypto", "crypto-rep.guarddutyc2activityb.com"),
        (
            "Impact:EC2/MaliciousDomainRequest.Reputation",
            "reputation-malicious",
            "malicious-rep.guarddutyc2activityb.com",
        ),
        (
            "Impact:EC2/SuspiciousDomainRequest.Reputation",
            "reputation-suspicious",
            "suspicious-rep.guarddutyc2activityb.com",
        ),
        ("Backdoor:EC2/C&CActivity.B!DNS", "c2", "c2.guarddutyc2activityb.com"),
        ("Trojan:EC2/DGADomainRequest.C!DNS", "dga", "guarddutydgaactivity.com"),
    ],
)
def test_the_domains_of_the_public_tester_are_found_once_they_are_listed(finding_type, category, name):
    (detector,) = load_detectors([finding_type])
    (finding,) = found(detector, [query(name)], **{name: category})
    assert (finding.action.domain, finding.threat_intelligence) == (name, (ThreatIntelligence("lab"),))
