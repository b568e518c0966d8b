"""Attacks against the service as it is served: those of tests/api that its proxy might change."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from guardray.api.model import operations
from tests.api.attacking import SLOW_S, Got, Sent, Signer, Wire, example, wire_request
from tests.clients.conftest import GUEST, Service

OPERATIONS = sorted(operations())


@pytest.fixture(scope="module")
def wire(service: Service) -> Iterator[Wire]:
    made = Wire(service.url)
    yield made
    made.close()


@pytest.fixture(scope="module")
def reader(service: Service, wire: Wire) -> Signer:
    environ = service.environ(GUEST, "reader")
    return Signer(environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], wire.netloc)


def is_refusal(got: Got, statuses: tuple[int, ...] = (400, 403, 404)) -> bool:
    """Whether it is an error as AWS's clients read it, and came soon."""
    assert got.status in statuses, (got.status, got.body[:300])
    assert got.code, got.headers
    assert got.json["message"], got.body
    return got.took_s < SLOW_S


def test_no_operation_is_there_without_a_signature(wire: Wire) -> None:
    for operation in OPERATIONS:
        bare = wire_request(operation, example(operation))
        assert is_refusal(wire.send(replace(bare, headers=(("host", wire.netloc),))), (403,)), operation


def test_no_operation_takes_what_was_altered_or_is_not_for_the_role(wire: Wire, reader: Signer) -> None:
    for operation in OPERATIONS:
        sent = reader.signed(wire_request(operation, example(operation)))
        assert is_refusal(wire.send(replace(sent, body=sent.body + b" "))), operation
        got = wire.send(sent)
        assert got.status < 500, (operation, got.body)
        assert got.status == 200 or is_refusal(got), operation
        assert wire.send(sent).code == "InvalidSignatureException", operation


@pytest.mark.parametrize(
    "path",
    ["/detector%2Fa", "/detector//a", "/./detector/a", "/x/../detector/a", "/detector/%2e%2e/a", "/detector/a%0Ab"],
)
def test_the_proxy_leaves_a_path_as_it_was_signed(wire: Wire, reader: Signer, path: str) -> None:
    assert is_refusal(wire.send(reader.signed(Sent("GET", path, b""))))


@pytest.mark.parametrize("body", [b"[" * 200_000, b"x" * (1 << 20) + b"y"], ids=["deep", "large"])
def test_a_body_that_no_client_sends(wire: Wire, reader: Signer, body: bytes) -> None:
    assert is_refusal(wire.send(reader.signed(Sent("POST", "/detector/a/findings", body))), (400, 413))


def test_many_that_send_a_byte_now_and_then_keep_nobody_waiting(wire: Wire, reader: Signer) -> None:
    host, port = wire.netloc.split(":")
    with ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection((host, int(port)), 10)) for _ in range(200)]
        for byte in (b"GET /dete", b"c", b"tor HTTP/1.1\r\nHos"):
            for connection in slow:
                connection.sendall(byte)
            start = time.monotonic()
            assert wire.send(reader.signed(wire_request("ListDetectors", {}))).status == 200
            assert time.monotonic() - start < SLOW_S


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /detector HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 2_000_000 + b"\r\n\r\n",
        b"POST /detector HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}{}{}",
        b"POST /detector HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\0" * 1000,
    ],
    ids=["header", "lengths", "chunk", "zeros"],
)
def test_what_is_no_http_is_refused_and_breaks_nothing(wire: Wire, reader: Signer, raw: bytes) -> None:
    host, port = wire.netloc.split(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        try:
            connection.sendall(raw)
            told = connection.recv(65_536)
        except (ConnectionError, TimeoutError):
            told = b""
    assert not told or told.split(b" ")[1].startswith(b"4"), told
    assert wire.send(reader.signed(wire_request("ListDetectors", {}))).status == 200
