"""`/v1` over HTTP: findings, evidence, timelines, statistics and detectors, and who sees which."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

import pytest
from api.service_serving import ACCOUNT, MEMBER, serving_service
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from finding_examples import one_of_each
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import validate

from guardray.access.gate import utc_now
from guardray.access.identity import Role
from guardray.access.issue import issue
from guardray.access.seal import Seal
from guardray.api.errors import ApiError
from guardray.api.openapi import document
from guardray.api.query_input import CursorPage, question_of_json, question_of_texts, read_texts
from guardray.api.service_routes import ServiceRouteSettings
from guardray.errors import QueryRefusedError
from guardray.store import api_members
from guardray.store.access_keys import AccessKeys
from guardray.store.api_members import ENABLED, StoredMember
from guardray.store.findings import write_findings

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
REGION = "eu-west-1"
INSTANCE = "i-0123456789abcdef0"


def stored_findings():
    """One of each action in either account and two Regions, made one after the other."""
    return [
        replace(one, id=f"{number:032x}", account_id=account, region=region, created_at=NOW + timedelta(minutes=number))
        for number, (one, account, region) in enumerate(
            (one, account, region)
            for account in (ACCOUNT, MEMBER)
            for region in (REGION, "us-east-1")
            for one in one_of_each()
        )
    ]


@pytest.fixture
def findings(database):
    with database.writing() as connection:
        write_findings(connection, stored_findings(), NOW)
    return stored_findings()


@pytest.fixture
def signing_key(database):
    """A key for one Region, made before the gate looks."""
    wanted = {"kind": "signing", "regions": [REGION], "actor": "tests", "now": utc_now()}
    return issue(AccessKeys(database), Seal(bytes(32)), account_id=ACCOUNT, role=Role.READER, **wanted)


@pytest.fixture
def service(api, database, keeper, findings, signing_key):
    with serving_service(api, database, keeper, ServiceRouteSettings()) as served:
        yield served


def ask(service, path, role="reader", account=ACCOUNT, **parameters):
    query = urlencode(parameters, doseq=True)
    return service.ask(f"{path}?{query}" if query else path, role=role, account=account)


def ids(answer):
    assert answer.status == 200, answer.body
    return [one["id"] for one in answer.json["findings"]]


def search(service, account=ACCOUNT, **body):
    return service.ask("/v1/findings/search", method="POST", role="reader", account=account, body=json.dumps(body))


class TestFindings:
    def test_an_account_sees_its_own_and_the_newest_first(self, service, findings):
        own = [one.id for one in findings if one.account_id == ACCOUNT]
        assert ids(ask(service, "/v1/findings")) == own[::-1]

    def test_criteria_are_parameters_and_an_operator_follows_two_underscores(self, service, findings):
        answer = ask(service, "/v1/findings", severity__gte=8, region=REGION, sort="-severity")
        assert [one["severity"] for one in answer.json["findings"]] == [9.0, 8.0]
        answer = ask(
            service, "/v1/findings", type=["Recon:EC2/PortProbeUnprotectedPort", "Backdoor:EC2/C&CActivity.B!DNS"]
        )
        assert len(ids(answer)) == 4
        assert len(ids(ask(service, "/v1/findings", type__matches="*:EC2/*"))) == 6
        assert ids(ask(service, "/v1/findings", createdAt__lt="2026-11-02T09:31:00Z")) == [findings[0].id]

    def test_a_body_asks_the_same_as_guardduty_does(self, service):
        criterion = {"severity": {"gte": 8}, "region": {"eq": [REGION]}}
        answer = search(service, criteria={"criterion": criterion}, sort="-severity")
        assert ids(answer) == ids(ask(service, "/v1/findings", severity__gte=8, region=REGION, sort="-severity"))

    def test_pages_lead_to_the_end(self, service):
        walked, cursor = [], {}
        while cursor is not None:
            answer = ask(service, "/v1/findings", limit=3, **cursor)
            walked += ids(answer)
            cursor = {"cursor": answer.json["cursor"]} if answer.json["cursor"] else None
        assert walked == ids(ask(service, "/v1/findings"))

    def test_a_cursor_is_good_for_its_question_alone(self, service):
        cursor = ask(service, "/v1/findings", limit=3).json["cursor"]
        answer = ask(service, "/v1/findings", limit=3, cursor=cursor, region=REGION)
        assert (answer.status, "cursor" in answer.json["message"]) == (400, True)

    @pytest.mark.parametrize(
        ("parameters", "word"),
        [
            ({"limit": 51}, "limit"),
            ({"limit": "x"}, "limit"),
            ({"sort": "title"}, "sort"),
            ({"colour": "red"}, "colour"),
            ({"severity__above": "1"}, "severity__above"),
            ({"severity__gt": "high"}, "severity__gt"),
            ({"cursor": "AAAA"}, "cursor"),
            ({"cursor": "é"}, "cursor"),
        ],
    )
    def test_what_cannot_be_asked_is_named(self, service, parameters, word):
        answer = ask(service, "/v1/findings", **parameters)
        assert (answer.status, answer.json["__type"]) == (400, "InvalidInputException")
        assert word in answer.json["message"]

    @pytest.mark.parametrize("body", ["[", "[]", '{"limit": "1"}', '{"more": 1}', '{"criteria": {"criterion": 3}}'])
    def test_a_body_that_is_no_question_is_refused(self, service, body):
        assert service.ask("/v1/findings/search", method="POST", role="reader", body=body).status == 400


class TestOneFinding:
    def test_it_comes_with_its_evidence_and_what_its_type_means(self, service, findings):
        answer = ask(service, f"/v1/findings/{findings[0].id}").json
        assert answer["finding"]["id"] == findings[0].id
        assert [row["row"]["n"] for row in answer["evidence"]] == [1]
        explanation = answer["explanation"]
        assert (explanation["source"], explanation["method"]) == ("vpc-flow", "rule")
        assert "UnauthorizedAccess:EC2/SSHBruteForce" in explanation["text"]
        assert all(one["value"] > 0 for one in explanation["tunables"].values())

    def test_there_is_none_of_another_account(self, service, findings):
        theirs = next(one for one in findings if one.account_id == MEMBER)
        for finding_id in (theirs.id, "0" * 31, "%00", "'--"):
            answer = ask(service, f"/v1/findings/{quote(finding_id, safe='%')}")
            assert (answer.status, answer.json["__type"]) == (404, "ResourceNotFoundException")


class TestTimeline:
    def test_it_has_what_was_found_of_a_thing_in_time(self, service, findings):
        answer = ask(service, f"/v1/entities/instance/{INSTANCE}/timeline", limit=100).json
        assert len(answer["events"]) == 6
        assert sorted(event["begin"] for event in answer["events"]) == [event["begin"] for event in answer["events"]]
        assert {event["account_id"] for event in answer["events"]} == {ACCOUNT}
        assert answer["cursor"] is None

    @pytest.mark.parametrize(
        ("kind", "value", "number"),
        [
            ("bucket", "payroll", 2),
            ("user", "alice", 2),
            ("address", "198.51.100.7", 2),
            ("domain", "c2.example.net", 2),
        ],
    )
    def test_things_of_many_kinds_have_one(self, service, kind, value, number):
        assert len(ask(service, f"/v1/entities/{kind}/{value}/timeline").json["events"]) == number

    def test_its_pages_lead_to_the_end(self, service):
        path, walked, cursor = f"/v1/entities/instance/{INSTANCE}/timeline", [], {}
        while cursor is not None:
            answer = ask(service, path, limit=4, **cursor).json
            walked += [event["id"] for event in answer["events"]]
            cursor = {"cursor": answer["cursor"]} if answer["cursor"] else None
        assert walked == [event["id"] for event in ask(service, path).json["events"]]

    def test_of_what_is_in_no_finding_it_is_empty_and_there_are_only_some_kinds(self, service):
        assert ask(service, "/v1/entities/user/a%2Fb/timeline").json["events"] == []
        assert ask(service, "/v1/entities/planet/mars/timeline").status == 400


class TestStatistics:
    def test_they_count_by_what_is_asked_for(self, service):
        groups = ask(service, "/v1/statistics", group_by="FINDING_TYPE", region=REGION).json["groups"]
        assert {group["total"] for group in groups} == {1}
        assert len(groups) == 4
        by_severity = ask(service, "/v1/statistics").json["groups"]
        assert {group["severity"]: group["total"] for group in by_severity} == {2.0: 4, 8.0: 2, 9.0: 2}

    @pytest.mark.parametrize("parameters", [{"group_by": "COLOUR"}, {"order": "UP"}, {"limit": 101}])
    def test_what_cannot_be_counted_is_refused(self, service, parameters):
        assert ask(service, "/v1/statistics", **parameters).status == 400


class TestAccess:
    PATHS = ["/v1/findings", "/v1/findings/x", "/v1/statistics", "/v1/detectors", "/v1/openapi.json"]

    @pytest.mark.parametrize("path", [*PATHS, "/v1/entities/user/alice/timeline"])
    def test_nothing_is_told_without_a_token_or_to_a_sender_of_logs(self, service, path):
        assert service.ask(path).status == 401
        assert service.ask(path, role="ingest").status == 403
        assert service.ask(path, role="reader").status in (200, 404)

    def test_no_parameter_leads_to_another_account(self, service):
        assert ids(ask(service, "/v1/findings", accountId=MEMBER)) == []

    def test_an_administrator_sees_its_members_in_the_region_where_they_are_that(self, service, database):
        values = {"region": REGION, "administrator_id": ACCOUNT, "account_id": MEMBER, "email": ""}
        with database.writing() as connection:
            api_members.add(connection, StoredMember(**values, status=ENABLED, updated_at=NOW))
        seen = ask(service, "/v1/findings", accountId=MEMBER).json["findings"]
        assert {(one["accountId"], one["region"]) for one in seen} == {(MEMBER, REGION)}
        assert len(ids(ask(service, "/v1/findings", account=MEMBER))) == 8
        assert len(ask(service, "/v1/statistics", group_by="ACCOUNT").json["groups"]) == 2
        assert len(ask(service, f"/v1/entities/instance/{INSTANCE}/timeline").json["events"]) == 9

    @pytest.mark.parametrize(("method", "path"), [("GET", "/v1/findings"), ("POST", "/v1/findings/search")])
    def test_a_signature_does_as_well_and_is_for_its_region(self, service, signing_key, method, path):
        body = b"{}" if method == "POST" else b""
        request = AWSRequest(method, f"http://127.0.0.1:{service.port}{path}", data=body)
        SigV4Auth(Credentials(signing_key.record.id, signing_key.secret), "guardduty", REGION).add_auth(request)
        answer = service.ask(path, method=method, body=body, headers=dict(request.headers))
        assert {one["region"] for one in answer.json["findings"]} == {REGION}
        assert len(ids(answer)) == 4


class TestDescriptions:
    def test_all_finding_types_are_listed_and_what_they_lack_is_told(self, service):
        detectors = {one["type"]: one for one in ask(service, "/v1/detectors").json["detectors"]}
        assert detectors["UnauthorizedAccess:EC2/SSHBruteForce"]["active"]
        assert not detectors["Backdoor:EC2/C&CActivity.B!DNS"]["active"]

    def test_the_routes_are_described_in_openapi(self, service):
        described = ask(service, "/v1/openapi.json").json
        validate(described)
        assert described == document()


@given(st.text(max_size=60))
def test_a_cursor_that_somebody_made_up_is_refused(text):
    with pytest.raises(ApiError, match="cursor"):
        CursorPage(["a question"], text, None)


@given(st.dictionaries(st.text(max_size=20), st.lists(st.text(max_size=20), min_size=1, max_size=3), max_size=4))
def test_any_query_is_a_question_or_is_refused(parameters):
    with suppress(ApiError, QueryRefusedError):
        question_of_texts(read_texts(urlencode(parameters, doseq=True, errors="replace")))


@given(st.binary(max_size=60))
def test_any_body_is_a_question_or_is_refused(body):
    with suppress(ApiError, QueryRefusedError):
        question_of_json(body)
