"""The gate in front of the API that is served: what clients and attackers see of it over HTTP."""

from __future__ import annotations

import http.client
import json
import socket
import time
from dataclasses import replace
from datetime import UTC, datetime
from unittest import mock
from urllib.parse import urlsplit

import boto3
import pytest
from access.signing import signed
from api.serving import MANAGEMENT, OTHER, REGION, serving
from botocore.config import Config
from botocore.exceptions import ClientError

from guardray.access.identity import Role
from guardray.api.activation import ListKeeper
from guardray.api.call import Settings
from guardray.api.core import Api
from guardray.detectors.loader import load_detectors
from guardray.intel.upkeep import Library
from guardray.store.access_audit import AuditLog
from guardray.store.database import Database


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    opened = Database(str(tmp_path_factory.mktemp("served") / "findings.db"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def served(database, tmp_path_factory):
    """One server for all tests, since every one of them loads all detectors."""
    folder = tmp_path_factory.mktemp("lists")
    settings = Settings(management_account=MANAGEMENT, list_folder=folder, detectors=load_detectors(), rules=())
    keeper = ListKeeper(database, Library(folder / "data"), folder)
    with serving(Api(database, settings), database, keeper) as served:
        yield served


@pytest.fixture
def key(served):
    """The credentials of an administrator."""
    credentials = served.client()._request_signer._credentials
    return credentials.access_key, credentials.secret_key


def client(served, key, **more):
    usual = {"aws_access_key_id": key[0], "aws_secret_access_key": key[1], "region_name": REGION}
    config = Config(retries={"total_max_attempts": 1})
    return boto3.client("guardduty", endpoint_url=served.url, config=config, **(usual | more))


def error_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def send(served, request, headers=None):
    """Sends a request as it is; gives status, headers and JSON of the answer."""
    connection = http.client.HTTPConnection(urlsplit(served.url).netloc, timeout=10)
    connection.putrequest(request.method, f"{request.path}?{request.query}", skip_host=True, skip_accept_encoding=True)
    for name, value in headers or request.headers:
        connection.putheader(name, value)
    if request.body:
        connection.putheader("content-length", str(len(request.body)))
    connection.endheaders(request.body)
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    return answer.status, answer.headers, body


class TestClients:
    def test_a_wrong_secret(self, served, key):
        assert error_of(client(served, (key[0], "wrong")).list_detectors) == (403, "InvalidSignatureException")

    def test_an_unknown_key(self, served):
        unknown = client(served, ("GRAKAAAAAAAAAAAAAAAA", "x"))
        assert error_of(unknown.list_detectors) == (403, "UnrecognizedClientException")

    def test_a_session(self, served, key):
        session = client(served, key, aws_session_token="FwoGZXIvYXdzEBYaD")
        assert error_of(session.list_detectors) == (403, "UnrecognizedClientException")

    def test_a_clock_that_is_an_hour_late(self, served, key):
        late = datetime.fromtimestamp(time.time() - 3600, UTC)
        with mock.patch("botocore.auth.get_current_datetime", return_value=late):
            assert error_of(client(served, key).list_detectors) == (403, "InvalidSignatureException")

    def test_a_role_that_is_too_low(self, served):
        reader = served.client(role=Role.READER)
        assert reader.list_detectors()["DetectorIds"] == []
        assert error_of(reader.create_detector, Enable=True) == (403, "AccessDeniedException")

    def test_the_same_read_many_times_in_a_second(self, served, key):
        reading = client(served, key)
        for _ in range(30):
            reading.list_detectors()


class TestAttackers:
    @pytest.fixture
    def request_(self, key):
        return signed(key, datetime.now(UTC), target="/detector?maxResults=5")

    def test_nothing_is_told_without_a_signature(self, served, request_):
        for path in ("/", "/detector", "/detector/x/findings", "/openapi.json", "/docs", "/nothing"):
            bare = signed(("a", "b"), datetime.now(UTC), target=f"{path}?a=b")
            status, headers, body = send(served, bare, [("host", "localhost:8000")])
            assert (status, headers["x-amzn-ErrorType"]) == (403, "MissingAuthenticationTokenException"), path
            assert body["message"] == "Missing Authentication Token"
            assert headers["x-amzn-RequestId"]

    def test_a_request_that_was_seen_on_its_way_is_not_taken_again(self, served, request_):
        assert send(served, request_)[0] == 200
        status, headers, _ = send(served, request_)
        assert (status, headers["x-amzn-ErrorType"]) == (403, "InvalidSignatureException")

    def test_a_header_that_is_there_twice(self, served, request_):
        twice = [*request_.headers, ("x-amz-date", "20261124T120000Z")]
        assert send(served, request_, twice)[0] == 400

    def test_a_path_that_leads_to_another_operation(self, served, request_):
        for path in ("//detector", "/x/../detector", "/./detector"):
            assert send(served, replace(request_, path=path))[0] == 400

    def test_refusals_are_not_slow(self, served, request_):
        start = time.monotonic()
        for _ in range(20):
            send(served, request_, [("host", "localhost:8000"), ("authorization", "AWS4-HMAC-SHA256 " + "a" * 10_000)])
        assert time.monotonic() - start < 5

    def test_what_is_no_http_breaks_nothing(self, served, request_):
        parts = urlsplit(served.url)
        with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
            connection.sendall(b"GET /detector HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n")
            connection.recv(1_000)
        assert send(served, request_)[0] == 200


def test_changes_and_refused_ones_are_in_the_audit_log_with_the_answers_request_id(served, database):
    admin, reader = served.client(OTHER), served.client(OTHER, role=Role.READER)
    made = admin.create_detector(Enable=True)
    with pytest.raises(ClientError) as caught:
        reader.delete_detector(DetectorId=made["DetectorId"])
    refused, done = AuditLog(database).entries(account_id=OTHER, limit=2)
    assert (done.operation, done.outcome, done.region) == ("CreateDetector", "done", REGION)
    assert (refused.operation, refused.outcome) == ("DeleteDetector", "AccessDeniedException")
    assert done.request_id == made["ResponseMetadata"]["RequestId"]
    assert refused.request_id == caught.value.response["ResponseMetadata"]["RequestId"]
    assert done.source_ip == "127.0.0.1"
    assert json.loads(done.parameters)["Enable"] is True
