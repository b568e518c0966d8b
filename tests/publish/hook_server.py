"""A web server that takes posts, keeps them, and answers as it is told, faults included."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Behaviour = Callable[[BaseHTTPRequestHandler, int], None]
"""Answers a request, whose number from 0 is given."""


@dataclass
class Request:
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class HookServer:
    port: int
    behave: Behaviour = field(default=lambda handler, number: answer(handler, 204))
    requests: list[Request] = field(default_factory=list)

    def url(self, path: str = "/hook", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


def answer(handler: BaseHTTPRequestHandler, status: int, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def status(code: int, **headers: str) -> Behaviour:
    return lambda handler, number: answer(handler, code, **headers)


def hang(seconds: float) -> Behaviour:
    return lambda handler, number: time.sleep(seconds)


def drip(seconds: float) -> Behaviour:
    """Headers that never end, a byte now and then."""

    def slowly(handler: BaseHTTPRequestHandler, number: int) -> None:
        handler.wfile.write(b"HTTP/1.1 204 No Content\r\nX: ")
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            handler.wfile.write(b"x")
            time.sleep(0.05)

    return slowly


def break_off(handler: BaseHTTPRequestHandler, number: int) -> None:
    handler.wfile.write(b"HTTP/1.1 2")


@contextmanager
def running(tls: ssl.SSLContext | None = None) -> Iterator[HookServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with lock:
                number = len(hooks.requests)
                hooks.requests.append(Request(self.path, headers, body))
            with suppress(BrokenPipeError, ConnectionResetError):
                hooks.behave(self, number)

        def log_message(self, *_: object) -> None:
            pass

    lock = threading.Lock()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    server.handle_error = lambda *_: None
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    hooks = HookServer(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hooks
    finally:
        server.shutdown()
        server.server_close()
