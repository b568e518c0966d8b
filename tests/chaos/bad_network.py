"""A bad way to a store that speaks HTTP: a proxy that refuses, breaks off and dawdles, as often as it is told to."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_REFUSAL = b"<?xml version='1.0'?><Error><Code>%s</Code><Message>as a test wants it</Message></Error>"

_NOT_PASSED_ON = {"connection", "transfer-encoding", "content-length"}


class BadWay:
    """How bad the way is.

    Args:
        likely: the share of answers to GET that go wrong.
        seed: of the choice.

    Attributes:
        done: how often each sort of failure came.
    """

    def __init__(self, likely: float, seed: int) -> None:
        self.likely = likely
        self.done: Counter[str] = Counter()
        self._chance = random.Random(seed)
        self._lock = threading.Lock()

    def choose(self) -> str:
        """What happens to a request."""
        with self._lock:
            goes_wrong = self._chance.random() < self.likely
            choice = self._chance.choice(sorted(FAILURES)) if goes_wrong else "none"
            self.done[choice] += 1
            return choice


class Handler(BaseHTTPRequestHandler):
    """Passes a request on, and the answer back, well or badly."""

    protocol_version = "HTTP/1.1"
    way: BadWay
    store: tuple[str, int]

    def do_GET(self) -> None:
        FAILURES.get(self.way.choose(), Handler.pass_on)(self)

    def do_HEAD(self) -> None:
        self.pass_on()

    def pass_on(self) -> None:
        status, headers, body = self._asked()
        self._head(status, headers, len(body))
        self.wfile.write(body)

    def refuse(self, status: int, code: bytes) -> None:
        body = _REFUSAL % code
        self._head(status, {"Content-Type": "application/xml"}, len(body))
        self.wfile.write(body)

    def reset(self) -> None:
        """Says nothing and hangs up."""
        self.close_connection = True

    def break_off(self) -> None:
        """Hangs up in the middle."""
        status, headers, body = self._asked()
        self._head(status, headers, len(body))
        self.wfile.write(body[: len(body) // 2])
        self.close_connection = True

    def dawdle(self) -> None:
        status, headers, body = self._asked()
        self._head(status, headers, len(body))
        part = len(body) // 4 + 1
        for start in range(0, len(body), part):
            self.wfile.write(body[start : start + part])
            self.wfile.flush()
            time.sleep(0.3)

    def _asked(self) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(*self.store, timeout=60)
        try:
            connection.request(self.command, self.path, headers=dict(self.headers))
            answer = connection.getresponse()
            headers = {name: value for name, value in answer.getheaders() if name.lower() not in _NOT_PASSED_ON}
            return answer.status, headers, answer.read()
        finally:
            connection.close()

    def _head(self, status: int, headers: dict[str, str], length: int) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Keeps quiet."""


FAILURES: dict[str, Callable[[Handler], None]] = {
    "internal error": lambda handler: handler.refuse(500, b"InternalError"),
    "slow down": lambda handler: handler.refuse(503, b"SlowDown"),
    "reset": Handler.reset,
    "broken off": Handler.break_off,
    "slow": Handler.dawdle,
}


@contextmanager
def bad_way_to(url: str, way: BadWay) -> Iterator[str]:
    """The URL of a proxy in front of a store, for as long as the context lasts."""
    host, _, port = urlsplit(url).netloc.partition(":")
    handler = type("OneHandler", (Handler,), {"way": way, "store": (host, int(port))})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
