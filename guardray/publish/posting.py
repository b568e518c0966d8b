"""One POST to a server that was looked up and checked: with a time limit to all of it, and without redirects."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, LocationParseError, NewConnectionError
from urllib3.util import Url, parse_url

from guardray.hosts import addresses_of

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Answer:
    """What a server answered; its body is not read."""

    status: int
    reason: str
    retry_after: str | None


class PostError(Exception):
    """No answer came; the text says why, without what the URL may hold of secrets."""


@dataclass(frozen=True)
class Post:
    """How a server is asked.

    Attributes:
        total_s: for all of it but looking up the name, whose limit is the system's.
        allow_private: whether the server may have an address that the internet does not route.
        ca_file: certificates to trust in place of the system's.
    """

    total_s: float
    allow_private: bool = False
    ca_file: Path | None = None

    def send(self, url: Url, headers: Mapping[str, str], body: bytes) -> Answer:
        """POST a body.

        The name is looked up once and the connection goes to the very address that was checked. The environment's
        proxies are not used, as a proxy would look the name up by itself.

        Raises:
            PostError: the server cannot be reached, must not be, or does not answer in time.
        """
        deadline = time.monotonic() + self.total_s
        try:
            connection = self._connected(url, deadline)
            with closing(connection):
                answer = _exchange(connection, url, headers, body, deadline)
            # Headers that were cut for taking too long look like those that are through.
            if time.monotonic() >= deadline:
                raise TimeoutError
            return answer
        except (OSError, ValueError, HTTPError, HTTPException) as error:
            if time.monotonic() >= deadline or _is_timeout(error):
                raise PostError(f"{url.host} took longer than {self.total_s:g} s") from None
            raise PostError(_reason(url, error)) from None

    def _connected(self, url: Url, deadline: float) -> HTTPConnection:
        host, port = str(url.host).strip("[]"), url.port or _PORTS[str(url.scheme)]
        ca_certs = None if self.ca_file is None else str(self.ca_file)
        failed: Exception | None = None
        for address in addresses_of(host, port, allow_private=self.allow_private):
            connect_s = max(deadline - time.monotonic(), 0.001)
            connection = (
                HTTPSConnection(address, port, timeout=connect_s, server_hostname=host, ca_certs=ca_certs)
                if url.scheme == "https"
                else HTTPConnection(address, port, timeout=connect_s)
            )
            try:
                connection.connect()
                return connection
            except (OSError, HTTPError) as error:
                failed = error
                connection.close()
        raise failed or ValueError(f"{host} has no address")


def web_address(text: str, *, allow_http: bool) -> Url:
    """A URL that can be posted to. Raises ValueError with the reason, without the URL."""
    try:
        url = parse_url(text)
    except LocationParseError:  # which repeats the URL
        raise ValueError("is not an https:// URL") from None
    if url.scheme not in _PORTS or not url.host:
        raise ValueError("is not an https:// URL")
    if url.scheme == "http" and not allow_http:
        raise ValueError("is not an https:// URL (allow_http is not set)")
    if url.auth:
        raise ValueError("has a user name, which is not sent to the server: use a header")
    return url


def _exchange(connection: HTTPConnection, url: Url, headers: Mapping[str, str], body: bytes, deadline: float) -> Answer:
    # Each byte that drips in sets the socket's own time limit back, in the headers too.
    watch = threading.Timer(max(deadline - time.monotonic(), 0), _cut, [connection])
    watch.daemon = True
    watch.start()
    try:
        connection.request("POST", url.request_uri, body=body, headers={"Host": str(url.netloc), **headers})
        with closing(connection.getresponse()) as response:
            return Answer(response.status, response.reason or "", response.headers.get("Retry-After"))
    finally:
        watch.cancel()


def _cut(connection: HTTPConnection) -> None:
    if connection.sock is not None:
        with suppress(OSError):
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def _is_timeout(error: Exception) -> bool:
    # A connection that was refused is a kind of ConnectTimeoutError, too.
    return isinstance(error, TimeoutError | ConnectTimeoutError) and not isinstance(error, NewConnectionError)


def _reason(url: Url, error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{url.host}'s certificate is not valid: {error.verify_message}"
    if isinstance(error, NewConnectionError):
        cause = error.__cause__
        return f"no connection to {url.host}: {getattr(cause, 'strerror', None) or cause or type(error).__name__}"
    if isinstance(error, ValueError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{url.host}: {error.strerror}"
    return f"the connection to {url.host} broke before the answer ({type(error).__name__})"
