"""The client against the service itself: frames, pages, refusals, and where its token goes."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from api.conftest import api, clock, database, database_kind, keeper, library, settings
from api.service_serving import ACCOUNT, MEMBER, serving_service, tell
from api.test_query_api import INSTANCE, NOW, REGION, findings, stored_findings
from service_examples import RUNNING

import guardray
from guardray.access.identity import Role
from guardray.api.service_routes import ServiceRouteSettings
from guardray.client import ClientError
from guardray.store.findings import write_findings

__all__ = ["api", "clock", "database", "database_kind", "findings", "keeper", "library", "settings"]


@pytest.fixture
def service(api, database, keeper, findings):
    with serving_service(api, database, keeper, ServiceRouteSettings()) as served:
        yield served


@pytest.fixture
def client(service):
    return client_of(service)


def client_of(service, role=Role.READER, account=ACCOUNT):
    return guardray.Client(f"http://127.0.0.1:{service.port}/", service.tokens[account, role])


def test_findings_are_rows_and_their_times_are_times(client, findings):
    frame = client.findings()
    assert list(frame["id"]) == [one.id for one in findings if one.account_id == ACCOUNT][::-1]
    assert str(frame["created_at"].dtype).endswith("UTC]")
    assert frame.loc[0, "finding"]["id"] == frame.loc[0, "id"]
    assert set(frame["account_id"]) == {ACCOUNT}


def test_criteria_and_order_are_the_services(client):
    frame = client.findings({"severity": {"gte": 8}, "region": {"eq": [REGION]}}, sort="-severity")
    assert list(frame["severity"]) == [9.0, 8.0]


def test_pages_are_followed_as_far_as_is_wanted(client, database, findings):
    many = [replace(one, id=f"{100 * n + k:032x}") for n in range(1, 16) for k, one in enumerate(stored_findings()[:8])]
    with database.writing() as connection:
        write_findings(connection, many, NOW)
    assert len(client.findings()) == 128
    assert len(client.findings(most=70)) == 70
    assert len(client.timeline("instance", INSTANCE)) == 96
    assert len(client.timeline("instance", INSTANCE, most=7)) == 7


def test_an_empty_answer_has_its_columns(client):
    assert {"id", "created_at", "finding"} <= set(client.findings({"type": {"eq": ["none"]}}).columns)
    assert {"begin", "title"} <= set(client.timeline("user", "nobody").columns)


def test_a_finding_has_its_evidence_and_explanation(client, findings):
    found = client.finding(findings[0].id)
    assert found.finding["id"] == findings[0].id
    assert list(found.evidence["n"]) == [1]
    assert found.explanation["tunables"]


def test_statistics_take_criteria_in_any_spelling(client):
    frame = client.statistics("FINDING_TYPE", {"severity": {"greaterThanOrEqual": 8}, "region": {"Equals": [REGION]}})
    assert sorted(frame["total"]) == [1, 1]
    assert client.statistics("DATE")["total"].sum() == 8


def test_the_service_tells_of_itself(client, database):
    tell(database, RUNNING)
    assert client.status()["ready"]
    assert len(client.sources()) == 2
    lag = client.lag()
    assert list(lag["backlog"]) == [31, 0]
    assert (lag["told_at"] - lag["watermark"]).min().total_seconds() > 0
    assert list(client.pools()["replicas"]) == [1]
    assert "UnauthorizedAccess:EC2/SSHBruteForce" in set(client.detectors()["type"])


def test_there_are_no_models_until_some_are_trained(client):
    assert client.models().empty
    assert {"family", "version", "in_force"} <= set(client.models().columns)


def test_a_token_shows_what_is_its_accounts(service):
    assert set(client_of(service, account=MEMBER).findings()["account_id"]) == {MEMBER}


def test_refusals_say_what_the_service_says(service, client):
    with pytest.raises(ClientError, match="colour") as refused:
        client.findings({"colour": {"eq": ["red"]}})
    assert (refused.value.status, refused.value.code) == (400, "InvalidInputException")
    with pytest.raises(ClientError, match="no such finding"):
        client.finding("none")
    with pytest.raises(ClientError, match="role ingest"):
        client_of(service, Role.INGEST).findings()


@pytest.mark.parametrize("endpoint", ["ftp://x", "127.0.0.1:8000", "file:///etc/passwd", "http://"])
def test_an_endpoint_is_of_http(endpoint):
    with pytest.raises(ClientError, match="is no endpoint"):
        guardray.Client(endpoint, "token")


def test_nobody_at_the_endpoint_is_said():
    with pytest.raises(ClientError, match="does not answer") as error:
        guardray.Client("http://127.0.0.1:9", "token", timeout_s=2).findings()
    assert error.value.status == 0


@contextmanager
def answering(status, body=b"", **headers):
    """A server that is no guardray; gives its port and the paths that it was asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port, asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def test_the_token_follows_no_redirect():
    with (
        answering(200, b"{}") as (elsewhere, asked),
        answering(302, Location=f"http://127.0.0.1:{elsewhere}/") as (port, _),
    ):
        with pytest.raises(ClientError, match="302"):
            guardray.Client(f"http://127.0.0.1:{port}", "token").status()
        assert asked == []


def test_what_is_no_json_is_said():
    with answering(200, b"<html>") as (port, _), pytest.raises(ClientError, match="as guardray does"):
        guardray.Client(f"http://127.0.0.1:{port}", "token").status()


def test_pandas_is_imported_by_questions_alone():
    code = "import guardray, sys; guardray.Client('http://x', 't'); assert 'pandas' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
