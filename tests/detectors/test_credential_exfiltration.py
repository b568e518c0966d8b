"""Credentials of workloads elsewhere: whose the other end is, and what becomes usual."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Address

import pytest

from guardray.context.enrich import Surroundings
from guardray.dataflow.ingest import Ingest
from guardray.dataflow.report import findings_of
from guardray.dataflow.shard import Shard
from guardray.detectors.declare import on_earlier_days
from guardray.detectors.iam import credential_exfiltration as exfiltration
from guardray.detectors.iam import malicious_ip_caller
from guardray.detectors.issued_credentials import SHARED_BY_ROLES, STEADY_DAYS
from guardray.findings.wire.findings import from_json, to_json
from guardray.intel.store import IndicatorStore
from guardray.inventory import Inventory
from guardray.inventory.facts import BEGINNING, FactList
from guardray.testing import ACCOUNT_ID, REGION, START, findings_from, frame_of, world_of

DETECTORS = {one.finding_type.partition("/")[2]: one for one in exfiltration.DETECTORS}
OUTSIDE = DETECTORS["InstanceCredentialExfiltration.OutsideAWS"]
INSIDE = DETECTORS["InstanceCredentialExfiltration.InsideAWS"]
TASK_INSIDE = DETECTORS["ResourceCredentialExfiltration.InsideAWS"]
FUNCTION_OUTSIDE = DETECTORS["ResourceCredentialExfiltration.OutsideAWS"]

TASK_OUTSIDE = FUNCTION_OUTSIDE

TASK = "0123456789abcdef0123456789abcdef"


def assumption(role="AROAWEB", session=TASK, **columns):
    """The record of somebody assuming a role."""
    response = f'{{"credentials": {{}}, "assumedRoleUser": {{"assumedRoleId": "{role}:{session}"}}}}'
    return {
        "event_category": "Management",
        "api_service_name": "sts.amazonaws.com",
        "api_operation": "AssumeRole",
        "actor_user_type": "IAMUser",
        "actor_user_uid_alt": "AIDADEPLOYER",
        "src_endpoint_ip": "10.0.0.9",
        "api_response_data": response,
        **columns,
    }


def by_endpoint(role="AROAWEB", instance="i-0123456789abcdef0", account="999988887777"):
    """A call of an instance by another account's VPC endpoint."""
    return exfiltration.OF_INSTANCE | {
        "actor_session_issuer_uid": role,
        "actor_user_uid_alt": f"{role}:{instance}",
        "src_endpoint_ip": "10.0.0.9",
        "src_endpoint_vpc_endpoint_uid": "vpce-1",
        "src_endpoint_vpc_endpoint_account_uid": account,
    }


ABROAD = exfiltration.OF_INSTANCE | {"src_endpoint_ip": exfiltration.HOTEL}
THEIRS = exfiltration.OF_INSTANCE | {"src_endpoint_ip": exfiltration.EIP}


def found(detector, *rows, facts=None, indicators=None):
    frame = frame_of(detector.schema, rows)
    assets = None if facts is None else facts.frame()
    return findings_from(detector, frame, indicators, assets=assets, places=exfiltration.PLACES)


def facts_of(account, *kinds_and_columns):
    facts = FactList().at(account, REGION)
    for kind, time, columns in kinds_and_columns:
        facts.add(kind, time, **columns)
    return facts


class TestOutside:
    """Networks that are not AWS's."""

    def test_the_finding_names_the_instance_and_the_credentials(self):
        (finding,) = found(OUTSIDE, ABROAD)
        assert finding.severity == 8.0
        assert finding.resource.resource_type == "AccessKey"
        assert finding.resource.access_key.user_name == "web-role"
        assert finding.resource.instance.instance_id == "i-0123456789abcdef0"
        assert "from 203.0.113.40, in AS 64510" in finding.description

    def test_the_session_alone_tells_an_instance_in_old_records(self):
        old = ABROAD | {"actor_session_ec2_role_delivery": None}
        assert found(OUTSIDE, old)
        assert found(OUTSIDE, old | {"actor_user_uid_alt": "AROAWEB:i-01234567"})

    @pytest.mark.parametrize("session", ["i-robot", "i-0123456789abcdeg0", "xi-0123456789abcdef0", "i-0123"])
    def test_a_session_that_is_named_otherwise_is_no_instances(self, session):
        named = {"actor_session_ec2_role_delivery": None, "actor_user_uid_alt": f"AROAWEB:{session}"}
        assert not found(OUTSIDE, ABROAD | named)

    @pytest.mark.parametrize("days", [1, STEADY_DAYS, STEADY_DAYS + 4])
    def test_a_gateway_stops_firing_once_it_is_steady(self, days):
        by_gateway = exfiltration.OF_INSTANCE | {"src_endpoint_ip": exfiltration.GATEWAY}
        (finding,) = found(OUTSIDE, *on_earlier_days(days, by_gateway), by_gateway)
        assert finding.count == min(days + 1, STEADY_DAYS)

    def test_a_thief_is_seen_beside_a_steady_gateway(self):
        by_gateway = exfiltration.OF_INSTANCE | {"src_endpoint_ip": exfiltration.GATEWAY}
        (finding,) = found(OUTSIDE, *on_earlier_days(5, by_gateway), by_gateway, ABROAD)
        assert finding.action.remote_ip == exfiltration.HOTEL
        assert "AS 64500 on 5 days" in finding.description

    def test_networks_are_learned_for_each_role(self):
        by_gateway = exfiltration.OF_INSTANCE | {"src_endpoint_ip": exfiltration.GATEWAY}
        other = by_gateway | {
            "actor_session_issuer_uid": "AROAWORKER",
            "actor_user_uid_alt": "AROAWORKER:i-0fedcba9876543210",
        }
        findings = found(OUTSIDE, *on_earlier_days(5, by_gateway), other)
        assert any(one.resource.access_key.principal_id == other["actor_user_uid_alt"] for one in findings)

    def test_a_sign_in_through_tor_with_an_instances_credentials_gives_two_findings(self):
        """AWS's own tester expects both from one action."""
        sign_in = ABROAD | {"api_service_name": "signin.amazonaws.com", "api_operation": "GetSigninToken"}
        tor = next(
            one for one in malicious_ip_caller.DETECTORS if one.finding_type == "UnauthorizedAccess:IAMUser/TorIPCaller"
        )
        exits = IndicatorStore.of({exfiltration.HOTEL: "tor-exit"})
        assert found(OUTSIDE, sign_in, indicators=exits)
        assert found(tor, sign_in, indicators=exits)

    def test_a_trusted_network_is_quiet(self):
        assert not found(OUTSIDE, ABROAD, indicators=IndicatorStore.of({exfiltration.HOTEL: "trusted"}))

    def test_calls_for_objects_count_as_well(self):
        assert found(
            OUTSIDE, ABROAD | {"event_category": "Data", "api_operation": "GetObject", "bucket_name": "records"}
        )

    def test_a_functions_finding_names_the_function(self):
        (finding,) = found(FUNCTION_OUTSIDE, exfiltration.OF_FUNCTION | {"src_endpoint_ip": exfiltration.HOTEL})
        assert "function:ingest" in finding.title
        assert finding.resource.instance is None

    def test_a_session_that_a_program_named_like_a_task_is_no_tasks(self):
        there = exfiltration.OF_TASK | {"src_endpoint_ip": exfiltration.HOTEL}
        assert found(TASK_OUTSIDE, there)
        assert not found(TASK_OUTSIDE, assumption(), there)
        assert not found(TASK_OUTSIDE, assumption(session="f" * 32, api_operation="AssumeRoleWithWebIdentity"), there)

    @pytest.mark.parametrize(
        "other",
        [
            assumption(actor_user_type="AWSService", actor_invoked_by="ecs-tasks.amazonaws.com"),
            assumption(role="AROAOTHER"),
            assumption(session="alice"),
            assumption(api_response_data=None, api_response_error="AccessDenied"),
        ],
    )
    def test_a_tasks_session_stays_one_whatever_else_is_assumed(self, other):
        there = exfiltration.OF_TASK | {"src_endpoint_ip": exfiltration.HOTEL}
        assert found(TASK_OUTSIDE, other, there)


class TestInside:
    """Addresses and endpoints of other accounts."""

    def test_the_other_account_is_told_and_whether_it_is_ours(self):
        facts = facts_of("444455556666", ("allocated", BEGINNING, {"public_ip": exfiltration.EIP, "link_uid": "a"}))
        (finding,) = found(INSIDE, THEIRS, facts=facts)
        details = to_json(finding)["service"]["action"]["awsApiCallAction"]["remoteAccountDetails"]
        assert details == {"accountId": "444455556666", "affiliated": True}
        assert finding.severity == 5.0
        assert from_json(to_json(finding)).action == finding.action

    def test_an_account_that_nobody_watches_is_not_affiliated(self):
        endpoint = {"src_endpoint_ip": "10.0.0.9", "src_endpoint_vpc_endpoint_uid": "vpce-1"}
        row = exfiltration.OF_INSTANCE | endpoint | {"src_endpoint_vpc_endpoint_account_uid": "999988887777"}
        (finding,) = found(INSIDE, row)
        assert (finding.action.remote_account_id, finding.action.remote_account_affiliated) == ("999988887777", False)
        assert finding.severity == 8.0
        assert "by the VPC endpoint vpce-1 of account 999988887777" in finding.description

    def test_a_task_is_told_like_an_instance(self):
        row = exfiltration.OF_TASK | {"src_endpoint_ip": exfiltration.EIP}
        facts = facts_of("444455556666", ("allocated", BEGINNING, {"public_ip": exfiltration.EIP, "link_uid": "a"}))
        assert found(TASK_INSIDE, row, facts=facts)
        assert not found(INSIDE, row, facts=facts)

    def test_an_address_that_was_the_other_accounts_before_is_nobodys(self):
        began, ended = START - timedelta(days=2), START - timedelta(days=1)
        facts = facts_of(
            "444455556666",
            ("public", began, {"public_ip": exfiltration.EIP, "instance_uid": "i-0other"}),
            ("ended", ended, {"instance_uid": "i-0other"}),
        )
        assert not found(INSIDE, THEIRS, facts=facts)
        assert found(INSIDE, THEIRS | {"time": ended - timedelta(hours=1)}, facts=facts)

    def test_the_accounts_own_address_does_not_hide_the_others(self):
        own = exfiltration.OF_INSTANCE | {"src_endpoint_ip": exfiltration.OWN_EIP, "time": START + timedelta(hours=1)}
        facts = facts_of("444455556666", ("allocated", BEGINNING, {"public_ip": exfiltration.EIP, "link_uid": "a"}))
        facts.at(ACCOUNT_ID, REGION).add("allocated", BEGINNING, public_ip=exfiltration.OWN_EIP, link_uid="b")
        (finding,) = found(INSIDE, THEIRS, own, facts=facts)
        assert finding.action.remote_ip == exfiltration.EIP

    def test_an_endpoint_that_is_shared_with_the_account_for_days_is_its_way(self):
        shared = exfiltration.OF_INSTANCE | {
            "src_endpoint_ip": "10.0.0.9",
            "src_endpoint_vpc_endpoint_account_uid": "999988887777",
        }
        (finding,) = found(INSIDE, *on_earlier_days(6, shared), shared)
        assert finding.count == STEADY_DAYS

    def test_an_endpoint_that_several_roles_come_by_on_a_day_is_how_the_network_was_built(self):
        calls = [by_endpoint(f"AROA{n}") for n in range(SHARED_BY_ROLES)]
        assert found(INSIDE, *calls[1:])
        assert not found(INSIDE, *calls)

    def test_an_instance_at_its_own_private_address_is_in_a_shared_network(self):
        elsewhere = {"src_endpoint_ip": "10.0.0.77"}
        address = {"interface_uid": "eni-1", "private_ip_v4": int(IPv4Address("10.0.0.9"))}
        facts = facts_of(
            ACCOUNT_ID,
            ("instance", BEGINNING, {"instance_uid": "i-0123456789abcdef0"}),
            ("attached", BEGINNING, {"instance_uid": "i-0123456789abcdef0", "interface_uid": "eni-1"}),
            ("address", BEGINNING, address),
        )
        assert not found(INSIDE, by_endpoint(), facts=facts)
        assert found(INSIDE, by_endpoint() | elsewhere, facts=facts)

    def test_a_stolen_session_is_told_of_though_tasks_have_more_addresses_than_there_is_room_for(self):
        places = exfiltration.PLACES | {str(IPv4Address("192.0.2.64") + n): ("US", 16509) for n in range(40)}
        own = [
            exfiltration.OF_TASK | {"actor_user_uid_alt": f"AROAWEB:{n:032x}", "src_endpoint_ip": address}
            for n, address in enumerate(sorted(places.keys() - exfiltration.PLACES.keys()))
        ]
        stolen = own[7] | {"src_endpoint_ip": exfiltration.EIP}
        facts = facts_of("444455556666", ("allocated", BEGINNING, {"public_ip": exfiltration.EIP, "link_uid": "a"}))
        frame = frame_of(TASK_INSIDE.schema, [*own, *own, stolen])
        ingest = Ingest([TASK_INSIDE], Surroundings(geography=world_of(places)), lambda hashes, times: times == times)
        ingest.on_batch(TASK_INSIDE.schema, frame)
        few = replace(TASK_INSIDE, most=5)
        shard = Shard([few])
        shard.merge(ingest.drain())
        sightings = shard.finish()
        assert len(sightings) == few.most
        assert exfiltration.EIP in {sighting.latest.row["src_endpoint_ip"] for sighting in sightings}
        (problem,) = shard.problems
        assert "36 occurrences were left out" in str(problem)
        inventory = Inventory(facts.frame())
        findings, _ = findings_of(sightings, {few.finding_type: few}, START, inventory)
        assert [finding.action.remote_ip for finding in findings] == [exfiltration.EIP]
