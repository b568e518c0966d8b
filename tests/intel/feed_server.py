"""An HTTP server of lists, with the faults that feeds have."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Page = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class FeedServer:
    """What it serves, by path, and the headers of each request that came."""

    port: int
    pages: dict[str, Page] = field(default_factory=dict)
    requests: list[Mapping[str, str]] = field(default_factory=list)

    def url(self, path: str = "/list") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def serve(self, page: Page, path: str = "/list") -> str:
        self.pages[path] = page
        return self.url(path)


@contextmanager
def running(tls: ssl.SSLContext | None = None) -> Iterator[FeedServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            feeds.requests.append({name.lower(): value for name, value in self.headers.items()})
            with suppress(BrokenPipeError, ConnectionResetError):  # the other side has had enough
                feeds.pages[self.path.partition("?")[0]](self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # a client that does not trust the certificate goes away
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    feeds = FeedServer(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield feeds
    finally:
        server.shutdown()
        server.server_close()


def write_feed(folder: Path, server: FeedServer, **options: object) -> Path:
    """A feeds file with the server's list as the only feed, of category c2."""
    feed = {"name": "bad", "url": server.url(), "kind": "ip", "category": "c2", "allow_private_addresses": True}
    path = folder / "intel.yaml"
    path.write_text(json.dumps({"feeds": [feed | options]}))
    return path


def ok(content: bytes | str, **headers: str) -> Page:
    """Answers with the content, and with 304 to whoever has the ETag or the time already."""
    body = content.encode() if isinstance(content, str) else content
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def page(request: BaseHTTPRequestHandler) -> None:
        has_it = "ETag" in named and request.headers.get("If-None-Match") == named["ETag"]
        has_it |= "Last-Modified" in named and request.headers.get("If-Modified-Since") == named["Last-Modified"]
        request.send_response(304 if has_it else 200)
        for name, value in named.items():
            request.send_header(name, value)
        if not has_it:
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if not has_it:
            request.wfile.write(body)

    return page


def status(code: int, body: bytes = b"sorry") -> Page:
    def page(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return page


def redirect(target: str) -> Page:
    def page(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", target)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return page


def half(content: bytes) -> Page:
    """Promises twice as much as it sends."""

    def page(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(2 * len(content)))
        request.end_headers()
        request.wfile.write(content)

    return page


def cut_chunk(content: bytes) -> Page:
    """Goes away within a chunk."""

    def page(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        request.wfile.write(b"%x\r\n%b\r\n%x\r\n%b" % (len(content), content, 2 * len(content), content))

    return page


def endless(total: int = 2 * 2**30) -> Page:
    """Two gigabytes of lines, chunked, so that nothing announces the size."""

    def page(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        part = b"198.51.100.7\n" * 5000
        for _ in range(total // len(part)):
            request.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        request.wfile.write(b"0\r\n\r\n")

    return page


def drip(within_headers: bool = False) -> Page:
    """A byte now and then, without end."""

    def page(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.0 200 OK\r\n" + (b"X-Slow: " if within_headers else b"\r\n"))
        for _ in range(1000):
            request.wfile.write(b"1")
            time.sleep(0.05)

    return page


def silent(seconds: float) -> Page:
    def page(request: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)

    return page
