"""Requests that are signed as AWS's own clients sign them, and what a server gets of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from unittest import mock
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from guardray.access.request import Request

REGION = "eu-west-1"
HOST = "localhost:8000"


def signed(
    key: tuple[str, str],
    now: datetime,
    *,
    method: str = "GET",
    target: str = "/detector?maxResults=5",
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    region: str = REGION,
    service: str = "guardduty",
    token: str | None = None,
    presigned_for_s: int | None = None,
) -> Request:
    """A request that botocore signs, as it goes over the wire."""
    credentials = Credentials(*key, token=token)
    wanted = {"Host": HOST} | ({"Content-Type": "application/json"} if body else {}) | (headers or {})
    request = AWSRequest(method, f"http://{HOST}{target}", headers=wanted, data=body)
    if presigned_for_s is None:
        signer = SigV4Auth(credentials, service, region)
    else:
        signer = SigV4QueryAuth(credentials, service, region, expires=presigned_for_s)
    # What botocore calls its clock; nothing else of it is replaced.
    with mock.patch("botocore.auth.get_current_datetime", return_value=now):
        signer.add_auth(request)
    parts = urlsplit(request.url)
    pairs = [(name.encode().lower(), value.encode()) for name, value in request.headers.items()]
    return Request.of_wire(method, parts.path.encode(), parts.query.encode(), pairs, body, request_id="r-1")


def with_header(request: Request, name: str, value: str) -> Request:
    """The request with a header of another value, or one more."""
    others = tuple(pair for pair in request.headers if pair[0] != name)
    return replace(request, headers=(*others, (name, value)))


def without_header(request: Request, name: str) -> Request:
    return replace(request, headers=tuple(pair for pair in request.headers if pair[0] != name))


@contextmanager
def listening() -> Iterator[tuple[str, list[Request]]]:
    """A web server's URL, and the requests that it gets, each answered by `{}`."""
    got: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            pairs = [(name.encode(), value.encode()) for name, value in self.headers.items()]
            got.append(Request.of_wire(self.command, path.encode(), query.encode(), pairs, body))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _take  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
