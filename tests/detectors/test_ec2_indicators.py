"""What findings about listed addresses and domains say."""

from __future__ import annotations

import pytest

from guardray.detectors.ec2 import listed_destinations, listed_domains, malicious_ip_caller_custom
from guardray.detectors.ec2.connections import flow
from guardray.detectors.ec2.queries import query
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
