"""Feeds from elsewhere: a conditional GET with limits to time, size, and where it may lead."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPException
from urllib.parse import urljoin, urlsplit

from urllib3 import BaseHTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, IncompleteRead, NewConnectionError, ProtocolError, ReadTimeoutError
from urllib3.util import Url, parse_url

from guardray import __version__
from guardray.errors import FeedError
from guardray.hosts import addresses_of
from guardray.intel.buckets import fetch_object
from guardray.intel.fetched import Fetched, Limits, Seen

_REDIRECTS = (301, 302, 303, 307, 308)
_PORTS = {"http": 80, "https": 443}
_CHUNK = 1 << 16
_HTML_WITHIN = 1024
"""An HTML page says what it is within so many bytes."""


def fetch(
    url: str, *, seen: Seen | None = None, limits: Limits | None = None, allow_private_addresses: bool = False
) -> Fetched | None:
    """What is at an http(s):// or s3:// URL; None where it is what was seen before.

    Content arrives as it is: packed content stays packed. The environment's proxies are not used, as a proxy would
    look the name up by itself.

    Args:
        seen: what the server said of the copy that is there.
        allow_private_addresses: whether servers in private networks may be asked.

    Raises:
        FeedError: it cannot be had, is empty, too large, cut short, too slow or an HTML page, or leads to where it
            must not.
    """
    limits = limits or Limits()
    try:
        if urlsplit(url).scheme == "s3":
            fetched = fetch_object(url, seen, limits)
        else:
            fetched = _Download(limits, allow_private_addresses).get(url, seen)
        if fetched is not None:
            _check(fetched.content)
    except (ValueError, OSError, HTTPError, HTTPException) as error:
        raise FeedError(url, _reason(error, limits)) from error
    return fetched


class _Download:
    """One GET with its redirects."""

    def __init__(self, limits: Limits, allow_private_addresses: bool) -> None:
        self._limits = limits
        self._allow_private = allow_private_addresses
        self._deadline = time.monotonic() + limits.total_s

    def get(self, url: str, seen: Seen | None) -> Fetched | None:
        for _ in range(self._limits.redirects + 1):
            with self._response(_parts(url), seen) as response:
                if response.status not in _REDIRECTS:
                    return self._fetched(response)
                target = urljoin(url, response.headers.get("Location", ""))
            if urlsplit(url).scheme == "https" != urlsplit(target).scheme:
                raise ValueError(f"is redirected from https to {target}")
            url = target
        raise ValueError(f"is redirected more than {self._limits.redirects} times")

    def _fetched(self, response: BaseHTTPResponse) -> Fetched | None:
        if response.status == 304:
            return None
        if response.status != 200:
            raise ValueError(f"the server answers {response.status} {response.reason or ''}".rstrip())
        length = response.headers.get("Content-Length", "")
        if length.isdecimal() and int(length) > self._limits.max_bytes:
            raise ValueError(f"has {int(length):,} bytes, and {self._limits.max_bytes:,} are allowed")
        content = self._body(response)
        return Fetched(content, Seen(response.headers.get("ETag"), response.headers.get("Last-Modified")))

    def _body(self, response: BaseHTTPResponse) -> bytes:
        body = bytearray()
        while part := response.read1(_CHUNK):
            body += part
            if len(body) > self._limits.max_bytes:
                raise ValueError(f"has more than {self._limits.max_bytes:,} bytes, which are allowed")
            if time.monotonic() > self._deadline:
                break
        # A connection that was cut for its length ends like one that is through.
        if time.monotonic() > self._deadline:
            raise TimeoutError
        return bytes(body)

    @contextmanager
    def _response(self, parts: Url, seen: Seen | None) -> Iterator[BaseHTTPResponse]:
        connection = self._connection(parts)
        # Each byte that drips in sets the socket's own time limit back, in the headers too.
        watch = threading.Timer(max(self._deadline - time.monotonic(), 0), _cut, [connection])
        watch.daemon = True
        watch.start()
        try:
            connection.request(
                "GET", parts.request_uri, headers=_headers(parts, seen), preload_content=False, decode_content=False
            )
            with closing(connection.getresponse()) as response:
                yield response
        except (OSError, HTTPError, HTTPException) as error:
            if time.monotonic() > self._deadline:
                raise TimeoutError from error
            raise
        finally:
            watch.cancel()
            connection.close()

    def _connection(self, parts: Url) -> HTTPConnection:
        """A connection to an address that was checked; names are only looked up once, so none can change between."""
        host, port = str(parts.host).strip("[]"), parts.port or _PORTS[str(parts.scheme)]
        failed: Exception | None = None
        for address in addresses_of(host, port, allow_private=self._allow_private):
            connect_s = min(self._limits.connect_s, max(self._deadline - time.monotonic(), 0.001))
            connection = (
                HTTPSConnection(address, port, timeout=connect_s, server_hostname=host)
                if parts.scheme == "https"
                else HTTPConnection(address, port, timeout=connect_s)
            )
            try:
                connection.connect()
                connection.timeout = self._limits.read_s
                return connection
            except (OSError, HTTPError) as error:
                failed = error
                connection.close()
        raise failed or ValueError(f"{host} has no address")


def _parts(url: str) -> Url:
    """The URL, with what is not ASCII in it encoded."""
    parts = parse_url(url)
    if parts.scheme not in _PORTS or not parts.host:
        raise ValueError(f"{url} is not an http:// or https:// URL")
    if parts.auth:
        raise ValueError("a user name in a URL is not sent to the server")
    return parts


def _headers(parts: Url, seen: Seen | None) -> dict[str, str]:
    headers = {
        "Host": str(parts.netloc),
        "User-Agent": f"guardray/{__version__}",
        "Accept-Encoding": "identity",
    }
    if seen and seen.etag:
        headers["If-None-Match"] = seen.etag
    if seen and seen.last_modified:
        headers["If-Modified-Since"] = seen.last_modified
    return headers


def _cut(connection: HTTPConnection) -> None:
    if connection.sock is not None:
        with suppress(OSError):
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def _check(content: bytes) -> None:
    start = content[:_HTML_WITHIN].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        raise ValueError("is empty")
    if start.startswith(b"<") and (b"<html" in start or b"<!doctype html" in start):
        raise ValueError("is an HTML page, not a list")


def _reason(error: Exception, limits: Limits) -> str:
    if isinstance(error, ReadTimeoutError) or (isinstance(error, TimeoutError) and error.errno is None and error.args):
        return f"the server sent nothing for {limits.read_s:g} s"
    if isinstance(error, TimeoutError):
        return f"took longer than {limits.total_s:g} s"
    if isinstance(error, NewConnectionError):
        return f"no connection: {error.__cause__ or error}"
    if isinstance(error, IncompleteRead | ProtocolError | HTTPException):
        return "the connection broke before all of it arrived"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not valid: {error.verify_message}"
    return str(error)
