"""What attackers send, made from the model of the service: over plain HTTP, to any server of the API.

The tests send it to the application in this process, and `make clients` to a real `guardray serve`.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.serialize import create_serializer

from guardray.api.model import location, operations

REGION = "eu-west-1"
SLOW_S = 5.0
"""Refusals take milliseconds; a machine that does other things as well takes longer."""

INJECTIONS = (
    "' OR '1'='1",
    "'; DROP TABLE findings; --",
    '" UNION SELECT secret FROM access_keys --',
    "%' ESCAPE '\\",
    "../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "file:///etc/passwd",
    "a\x00b",
    "a\r\nX-Injected: yes",
    "${jndi:ldap://127.0.0.1/a}",
    "{0.__class__.__mro__}",
    "$where",
    "\u202egnirts\u2066",
    "\U0001f600" * 80,
    "A" * 5000,
    "-1e999",
)


@dataclass(frozen=True)
class Sent:
    """A request as it goes over the wire."""

    method: str
    target: str
    body: bytes = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Got:
    """What came back, and how long that took."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    took_s: float

    @property
    def code(self) -> str | None:
        return self.headers["x-amzn-ErrorType"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Wire:
    """A connection to a server, kept while the server keeps it."""

    def __init__(self, url: str) -> None:
        self.netloc = urlsplit(url).netloc
        self._connection: http.client.HTTPConnection | None = None

    def send(self, sent: Sent) -> Got:
        """One request and its answer; once more on a new connection where the old one was closed meanwhile."""
        start = time.monotonic()
        try:
            status, headers, body = self._exchange(sent)
        except (ConnectionError, http.client.HTTPException):
            self.close()
            status, headers, body = self._exchange(sent)
        return Got(status, headers, body, time.monotonic() - start)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(self, sent: Sent) -> tuple[int, http.client.HTTPMessage, bytes]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self.netloc, timeout=30)
        connection = self._connection
        connection.putrequest(sent.method, sent.target, skip_host=True, skip_accept_encoding=True)
        for name, value in sent.headers:
            connection.putheader(name, value.encode("latin-1"))
        connection.putheader("content-length", str(len(sent.body)))
        connection.endheaders(sent.body or None)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


@dataclass(frozen=True)
class Signer:
    """Somebody with a key."""

    key_id: str
    secret: str = field(repr=False)
    netloc: str

    def signed(self, bare: Sent, *, presigned: bool = False, region: str = REGION) -> Sent:
        """The request with a signature of this key, in a header or in its query."""
        request = AWSRequest(bare.method, f"http://{self.netloc}{bare.target}", data=bare.body)
        request.headers["Host"] = self.netloc
        if bare.body:
            request.headers["Content-Type"] = "application/json"
        for name, value in bare.headers:
            request.headers[name] = value
        # Two equal requests of one second would have one signature: these are two calls, as clients have it.
        request.headers["amz-sdk-invocation-id"] = f"{time.monotonic_ns():x}"
        credentials = Credentials(self.key_id, self.secret)
        if presigned:
            SigV4QueryAuth(credentials, "guardduty", region, expires=60).add_auth(request)
        else:
            SigV4Auth(credentials, "guardduty", region).add_auth(request)
        parts = urlsplit(request.url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return Sent(bare.method, target if presigned else bare.target, bare.body, tuple(request.headers.items()))


def now_text() -> str:
    """The time as signatures have it."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


def wire_request(operation: str, params: dict[str, Any]) -> Sent:
    """An operation's request as AWS's clients put it, but unsigned and unchecked."""
    model = operations()[operation]
    made = create_serializer("rest-json", include_validation=False).serialize_to_request(params, model)
    query = urlencode(made["query_string"], doseq=True, quote_via=quote)
    target = made["url_path"] + (("&" if "?" in made["url_path"] else "?") + query if query else "")
    body = made["body"]
    return Sent(made["method"], target, body if isinstance(body, bytes) else str(body or "").encode())


def example(operation: str, known: dict[str, Any] | None = None) -> dict[str, Any]:
    """Parameters that have all that is required; of what is `known`, the known."""
    shape = operations()[operation].input_shape
    if shape is None:
        return {}
    known = known or {}
    wanted = [name for name in shape.members if name in shape.required_members or name in known]
    return {name: known.get(name, _value(shape.members[name])) for name in wanted}


def string_members(operation: str) -> Iterator[tuple[str, ...]]:
    """The way to each string of an operation's request, at any depth; of lists and maps to the first entry."""
    shape = operations()[operation].input_shape
    for name, member in {} if shape is None else shape.members.items():
        yield from _strings(member, (name,), 0)


def with_string(operation: str, way: tuple[str, ...], text: str, known: dict[str, Any]) -> dict[str, Any]:
    """An example with this text in one place."""
    shape = operations()[operation].input_shape
    return {**example(operation, known), way[0]: _placed(shape.members[way[0]], way[1:], text)}


def is_in_path(operation: str, name: str) -> bool:
    return location(operations()[operation].input_shape.members[name]) == "uri"


def _strings(shape: Any, way: tuple[str, ...], depth: int) -> Iterator[tuple[str, ...]]:
    if depth > 5:
        return
    match shape.type_name:
        case "string":
            yield way
        case "structure":
            for name, member in shape.members.items():
                yield from _strings(member, (*way, name), depth + 1)
        case "list":
            yield from _strings(shape.member, (*way, "[]"), depth + 1)
        case "map":
            yield from _strings(shape.key, (*way, "{key}"), depth + 1)
            yield from _strings(shape.value, (*way, "{}"), depth + 1)


def _placed(shape: Any, way: tuple[str, ...], text: str) -> Any:
    if not way:
        return text
    match way[0]:
        case "[]":
            return [_placed(shape.member, way[1:], text)]
        case "{key}":
            return {text: _value(shape.value)}
        case "{}":
            return {"type": _placed(shape.value, way[1:], text)}
    required = {name: _value(shape.members[name]) for name in shape.required_members}
    return {**required, way[0]: _placed(shape.members[way[0]], way[1:], text)}


def _value(shape: Any) -> Any:
    match shape.type_name:
        case "structure":
            return {name: _value(shape.members[name]) for name in shape.required_members}
        case "list":
            return [_value(shape.member)] * max(1, shape.metadata.get("min", 1))
        case "map":
            return {"type": _value(shape.value)}
        case "boolean":
            return True
        case "integer" | "long":
            return 1
        case "double" | "float":
            return 1.0
        case "timestamp":
            return datetime(2026, 11, 2, tzinfo=UTC)
    if shape.enum:
        return shape.enum[0]
    return "444455556666" if shape.name == "AccountId" else "x" * max(3, shape.metadata.get("min", 1))
