"""Logs that are sent by HTTP: taken when they are safe, refused with a reason that clients act on, and never half."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import socket
import threading
import time
from contextlib import closing, suppress

import pytest
from api.service_serving import serving_service
from source_samples import event, log_file, read

from guardray.api import ingest
from guardray.api.service_routes import ServiceRouteSettings
from guardray.connectors.spool import SpoolConfig
from guardray.connectors.spooled import SpoolSource
from guardray.sources.reader import Reader
from guardray.store.access_audit import AuditLog

LOG = log_file(event())
MOST = 1 << 20
PATH = "/v1/ingest/on-premises"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "spool"


@pytest.fixture
def bounds(folder):
    return SpoolConfig(path=folder, max_body_bytes=MOST, max_bytes=4 * MOST, max_objects=3)


@pytest.fixture
def service(api, database, keeper, bounds):
    with serving_service(api, database, keeper, ServiceRouteSettings(spool=bounds)) as served:
        yield served


def send(service, body=LOG, path=PATH, role="ingest", **headers):
    return service.ask(path, method="POST", role=role, body=body, headers=headers)


def waiting(folder):
    return sorted(path.name for path in folder.iterdir())


class TestTaken:
    @pytest.mark.parametrize(
        ("body", "headers"),
        [
            (LOG, {}),
            (gzip.compress(LOG, mtime=0), {}),
            (gzip.compress(LOG, mtime=0), {"Content-Encoding": "gzip"}),
            (iter([LOG[:20], LOG[20:]]), {}),  # chunked: no length is told beforehand
        ],
        ids=["plain", "gzip", "encoded as gzip", "chunked"],
    )
    def test_a_log_that_is_sent_is_read(self, service, folder, body, headers):
        answer = send(service, body, **headers)
        assert answer.status == 202
        assert answer.json.keys() == {"name", "size"}
        (arrival,) = SpoolSource(folder).poll(10)
        assert (arrival.receipt, arrival.object.size) == (answer.json["name"], answer.json["size"])
        assert read(Reader(), [arrival.object]).frame.height == 1

    def test_it_is_on_the_disk_before_it_is_answered(self, service, folder, monkeypatch):
        flushed = []
        sync = os.fsync
        monkeypatch.setattr(os, "fsync", lambda handle: (sync(handle), flushed.append(handle)))
        assert send(service).status == 202
        assert len(flushed) == 2  # the file and its name

    def test_an_administrator_may_send_too(self, service):
        assert send(service, role="admin").status == 202

    def test_many_send_at_once_and_none_is_lost(self, api, database, keeper, folder):
        routes = ServiceRouteSettings(spool=SpoolConfig(path=folder, max_body_bytes=MOST))
        with serving_service(api, database, keeper, routes) as service:
            answers = []
            threads = [threading.Thread(target=lambda: answers.append(send(service))) for _ in range(12)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert [answer.status for answer in answers] == [202] * 12
        assert waiting(folder) == sorted(answer.json["name"] for answer in answers)


class TestRefused:
    def test_nobody_sends_without_a_token_of_the_role(self, service, folder, database):
        assert send(service, role=None).status == 401
        assert send(service, role=None, Authorization="Bearer GR.wrong").status == 401
        answer = send(service, role="analyst")
        assert (answer.status, answer.headers["x-amzn-errortype"]) == (403, "AccessDeniedException")
        assert waiting(folder) == []
        entry = AuditLog(database).entries(limit=1)[0]
        assert (entry.operation, entry.outcome) == ("Ingest", "AccessDeniedException")
        assert entry.request_id == answer.headers["x-amzn-requestid"]

    def test_a_signature_is_no_token(self, service):
        answer = send(service, role=None, Authorization="AWS4-HMAC-SHA256 Credential=a/b")
        assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (b"", "the body is empty"),
            (b"hello", "the body is no log that is read here: no known log format"),
            (gzip.compress(LOG, mtime=0)[:-9], "the body is damaged: gzip ends early"),
        ],
    )
    def test_what_is_no_log_is_refused_with_the_reason(self, service, folder, body, reason):
        answer = send(service, body)
        assert (answer.status, answer.headers["x-amzn-errortype"]) == (400, "BadRequestException")
        assert answer.json["message"].startswith(f"The request is rejected because {reason}")
        assert waiting(folder) == []
        assert str(folder) not in answer.body.decode()

    @pytest.mark.parametrize("name", ["a%20b", "..%2Fetc", "%00", "x" * 65])
    def test_a_source_with_another_name_is_refused(self, service, folder, name):
        answer = send(service, path=f"/v1/ingest/{name}")
        assert answer.status in (400, 403)
        assert waiting(folder) == []

    def test_another_encoding_is_refused(self, service):
        answer = send(service, **{"Content-Encoding": "br"})
        assert (answer.status, answer.json["message"]) == (
            415,
            "The request is rejected because 'br' is not read: gzip is.",
        )

    @pytest.mark.parametrize("pieces", [1, 5], ids=["told beforehand", "chunked"])
    def test_a_body_that_is_too_large_is_refused_and_its_sender_gets_to_know(self, service, folder, pieces):
        body = bytes(3 * MOST)
        answer = send(service, body if pieces == 1 else iter([body] * pieces))
        assert (answer.status, answer.headers["x-amzn-errortype"]) == (413, "RequestEntityTooLargeException")
        assert answer.json["message"] == "The request is rejected because the body is larger than 1,048,576 bytes."
        assert waiting(folder) == []

    def test_a_sender_that_asks_first_is_not_asked_for_what_is_refused(self, service):
        with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
            token = service.bearer("ingest")["Authorization"]
            head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nContent-Length: {2 * MOST}\r\n"
            connection.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 413")


class TestBackPressure:
    def test_a_full_spool_says_when_to_come_again(self, service, folder):
        for _ in range(3):
            assert send(service).status == 202
        answer = send(service)
        assert (answer.status, answer.headers["x-amzn-errortype"]) == (429, "TooManyRequestsException")
        assert 1 <= int(answer.headers["retry-after"]) <= 300
        assert answer.json["message"].endswith("because more than 3 objects would wait to be read.")
        assert len(waiting(folder)) == 3

    def test_a_sender_that_does_not_ask_first_gets_to_know_as_well(self, service):
        for _ in range(3):
            send(service)
        assert send(service, os.urandom(MOST)).status == 429

    def test_uploads_have_a_bound_that_leaves_the_rest_of_the_service_alone(self, api, database, keeper, folder):
        routes = ServiceRouteSettings(spool=SpoolConfig(path=folder, max_body_bytes=MOST))
        with serving_service(api, database, keeper, routes) as service:
            slow = [begin_upload(service) for _ in range(ingest.UPLOADS_MAX)]
            until(lambda: len(waiting(folder)) == ingest.UPLOADS_MAX)
            answer = send(service)
            assert (answer.status, answer.headers["retry-after"]) == (429, "2")
            assert service.ask("/v1/sources", role="reader").status == 404
            for connection in slow:
                connection.close()
            until(lambda: waiting(folder) == [])
            assert send(service).status == 202


class TestSenders:
    def test_one_that_goes_away_leaves_nothing(self, service, folder):
        connection = begin_upload(service)
        until(lambda: waiting(folder))
        connection.close()
        until(lambda: waiting(folder) == [])

    def test_one_that_is_silent_is_let_go(self, service, folder, monkeypatch):
        monkeypatch.setattr(ingest, "PIECE_S", 0.2)
        with begin_upload(service) as connection, closing(http.client.HTTPResponse(connection)) as response:
            response.begin()
            assert response.status == 408
            assert json.loads(response.read())["message"].endswith("its body came too slowly.")
        assert waiting(folder) == []

    def test_one_that_takes_for_ever_is_let_go_however_often_it_sends(self, service, monkeypatch):
        monkeypatch.setattr(ingest, "BODY_S", 0.5)
        answer, deadline = b"", time.monotonic() + 10
        with begin_upload(service) as connection:
            connection.settimeout(0.1)
            while not answer and time.monotonic() < deadline:
                connection.sendall(b" ")
                with suppress(TimeoutError):
                    answer = connection.recv(100)
        assert answer.startswith(b"HTTP/1.1 408")

    def test_a_disk_that_fails_is_our_fault_and_tells_no_path(self, service, folder):
        folder.rmdir()
        answer = send(service)
        assert (answer.status, answer.json["message"]) == (
            503,
            "The request cannot be served because its body cannot be kept.",
        )


def begin_upload(service):
    """A connection whose request has a body of which only the start was sent."""
    connection = socket.create_connection(("127.0.0.1", service.port), timeout=10)
    token = service.bearer("ingest")["Authorization"]
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nContent-Length: {len(LOG) + 1000}\r\n\r\n"
    connection.sendall(head.encode() + LOG)
    return connection


def until(holds):
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
