"""What is on the wire, without a client in between."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from api.serving import ACCOUNT, REGION
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from guardray.access.identity import Identity, Role
from guardray.access.request import Request
from guardray.api.errors import ApiError
from guardray.api.inputs import MAX_BODY_BYTES, read_input
from guardray.api.model import operations
from guardray.api.operations import HANDLERS
from guardray.api.outputs import write_output
from guardray.api.routes import match
from guardray.api.tokens import Pages
from guardray.store.access_audit import AuditLog

ADMIN = Identity(ACCOUNT, REGION, Role.ADMIN, "GRAKTEST")


@pytest.fixture
def send(api):
    """Sends a request to the core, as a known caller."""

    def send(method, path, body=None, query=""):
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return api.handle(Request(method, path, query, (), raw, request_id="r-1"), ADMIN)

    return send


@pytest.fixture
def detector(send):
    return json.loads(send("POST", "/detector", {"enable": True}).body)["detectorId"]


def told(response):
    return response.status, response.headers.get("x-amzn-ErrorType"), json.loads(response.body)


def test_every_path_of_the_model_leads_to_its_operation():
    for name, operation in operations().items():
        path = operation.http["requestUri"]
        parts = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        for part in parts:
            path = path.replace(f"{{{part}}}", quote(f"a/b c:{part}", safe=""))
        found = match(operation.http["method"], path)
        assert found.operation == name
        assert found.arguments == {part: f"a/b c:{part}" for part in parts}


@pytest.mark.parametrize(
    "path",
    ["/detector/", "/detector//findings", "/detector/x/ipset/", "/detector/x/filter/", "/detector//filter/x", "/tags/"],
)
def test_an_empty_part_of_the_path_is_refused_and_is_no_list(send, path):
    for method in ("GET", "POST", "DELETE"):
        status, code, body = told(send(method, path))
        assert (status, code) == (400, "BadRequestException"), body


@pytest.mark.parametrize(
    "path", ["/", "", "/nothing", "/detector/x/y/z", "/detector/%zz", "/../etc/passwd", "/a" * 3000]
)
def test_a_path_of_no_operation_is_not_found(send, path):
    status, code, _ = told(send("PUT", path))
    assert (status, code) == (404, "UnknownOperationException")


def test_an_error_names_its_code_in_the_header_and_its_reason_in_the_body(send, detector):
    response = send("POST", "/detector", {"enable": True})
    status, code, body = told(response)
    assert (status, code) == (400, "BadRequestException")
    assert body["__type"] == body["type"] == "EntityAlreadyExistsException"
    assert response.headers["x-amzn-RequestId"] == "r-1"
    assert response.headers["Content-Type"] == "application/json"


NOT_READABLE = {
    "cut off": b"{",
    "a list": b"[]",
    "null": b"null",
    "a text": b'"x"',
    "no text at all": b"\xff",
    "a text for a truth value": b'{"enable": "True"}',
    "a number for a truth value": b'{"enable": 1}',
    "nothing of what is required": b"{}",
    "null for what is required": b'{"enable": null}',
    "lists in lists": b'{"enable": ' + b"[" * 100_000,
    "objects in objects": b'{"a":' * 100_000,
    "too large": b'{"enable": true, "x": "' + b"x" * MAX_BODY_BYTES + b'"}',
}


@pytest.mark.parametrize("body", NOT_READABLE.values(), ids=NOT_READABLE.keys())
def test_bodies_that_are_not_what_the_model_has_are_refused(send, body):
    status, code, _ = told(send("POST", "/detector", body))
    assert (status, code) == (400, "BadRequestException")


def test_members_that_the_model_does_not_have_are_passed_over(send):
    assert send("POST", "/detector", {"enable": True, "colour": "blue"}).status == 200


def test_limits_of_queries_hold(send, detector):
    path = f"/detector/{detector}/filter"
    for query in ("maxResults=0", "maxResults=51", "maxResults=x", "nextToken=x", "maxResults=%FF"):
        assert told(send("GET", path, query=query))[:2] == (400, "BadRequestException"), query
    for query in ("maxResults=50", "nextToken=", "other=1", ""):
        assert send("GET", path, query=query).status == 200, query


def test_tags_are_of_the_arn_in_the_path_with_its_slashes(send, detector):
    arn = f"arn:aws:guardduty:{REGION}:{ACCOUNT}:detector/{detector}"
    path = f"/tags/{quote(arn, safe='')}"
    tagged = send("POST", path, {"tags": {"a": "1"}})
    assert (tagged.status, tagged.body) == (204, b"")
    assert send("DELETE", path, query="tagKeys=a&tagKeys=b%20c").status == 400  # a key has no blanks
    assert json.loads(send("GET", path).body) == {"tags": {"a": "1"}}


def test_times_are_written_as_each_member_has_them():
    time = datetime(2026, 5, 1, 12, 0, 0, 500_000, tzinfo=UTC)
    detector = {"ServiceRole": "r", "Status": "ENABLED", "CreatedAt": time, "Features": [{"UpdatedAt": time}]}
    written = json.loads(write_output(operations()["GetDetector"], detector))
    assert written["createdAt"] == "2026-05-01T12:00:00.500Z"
    assert written["features"] == [{"updatedAt": 1777636800.5}]
    destination = {
        "DestinationId": "d",
        "DestinationType": "S3",
        "Status": "PUBLISHING",
        "PublishingFailureStartTimestamp": time,
        "DestinationProperties": {},
    }
    written = json.loads(write_output(operations()["DescribePublishingDestination"], destination))
    assert written["publishingFailureStartTimestamp"] == 1777636800500


def test_odd_names_are_those_of_the_model():
    configurations = {"MemberDataSourceConfigurations": [], "UnprocessedAccounts": []}
    assert json.loads(write_output(operations()["GetMemberDetectors"], configurations)) == {
        "members": [],
        "unprocessedAccounts": [],
    }
    found = read_input(
        operations()["GetUsageStatistics"],
        {"DetectorId": "d"},
        "",
        b'{"usageStatisticsType": "SUM_BY_ACCOUNT", "usageCriteria": {}}',
    )
    assert found["UsageStatisticType"] == "SUM_BY_ACCOUNT"


def test_an_answer_that_is_not_as_the_model_has_it_is_a_fault_and_is_not_sent(api, detector, monkeypatch, send):
    monkeypatch.setitem(HANDLERS, "ListDetectors", lambda call: {})
    status, code, body = told(send("GET", "/detector"))
    assert (status, code) == (500, "InternalServerErrorException")
    assert "detectorIds" not in json.dumps(body)


def test_changes_are_in_the_audit_log_with_what_came_of_them(send, detector, database):
    send("POST", "/detector", {"enable": True})
    send("GET", "/detector")
    entries = [(entry.operation, entry.outcome, entry.actor) for entry in AuditLog(database).entries()]
    assert entries == [
        ("CreateDetector", "BadRequestException", "GRAKTEST"),
        ("CreateDetector", "done", "GRAKTEST"),
    ]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@hypothesis_settings(max_examples=300)
@given(st.sampled_from(sorted(operations())), st.data())
def test_whatever_a_body_holds_is_read_or_refused(name, data):
    """Members of the model with values of any kind, so that each reader meets what it is not for."""
    operation = operations()[name]
    members = operation.input_shape.members if operation.input_shape else {}
    names = [shape.serialization.get("name", member) for member, shape in members.items()] or ["x"]
    body = data.draw(st.dictionaries(st.sampled_from(names), json_values, max_size=4))
    found = {}
    with suppress(ApiError):
        found = read_input(operation, {}, "", json.dumps(body).encode())
    assert found.keys() <= members.keys()


@given(json_values)
def test_a_token_that_somebody_made_up_is_refused_or_names_a_place(place):
    token = Pages("ListFilters", ADMIN, {}).token(place)
    for items in ([1, 2, 3], ["a", "b"], []):
        with suppress(ApiError):
            page, _ = Pages("ListFilters", ADMIN, {"NextToken": token}).cut(items, lambda item: item)
            assert set(page) <= set(items)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(json_values)
def test_a_place_that_somebody_made_up_is_no_fault_of_the_search(send, place):
    detector = json.loads(send("POST", "/detector", {"enable": True, "clientToken": "t"}).body)["detectorId"]
    token = Pages("ListFindings", ADMIN, {"DetectorId": detector}).token(place)
    assert send("POST", f"/detector/{detector}/findings", {"nextToken": token}).status in (200, 400)
