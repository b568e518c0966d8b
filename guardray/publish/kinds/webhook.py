"""A web server that is sent each finding's event in a signed POST.

Source: Standard Webhooks specification (standardwebhooks.com): the three headers, what is signed, and how.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Annotated

import msgspec
from urllib3.util import Url

from guardray import __version__
from guardray.errors import UsageError
from guardray.publish.destination import Destination
from guardray.publish.messages import event, message_id
from guardray.publish.posting import Answer, Post, PostError, web_address
from guardray.publish.secrets import Secret, revealed
from guardray.publish.sending import Failure, Outcome, Sender
from guardray.store.outbox import Delivery

SECRET_PREFIX = "whsec_"
"""Of a secret whose bytes are written in Base64, as libraries for such webhooks make them."""

SECRET_BYTES = 24
"""The shortest key that the specification allows."""


class Webhook(Destination, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="webhook"):
    """A URL.

    Attributes:
        url: a secret where knowing it is enough to send.
        secret: the key that requests are signed with.
        headers: more headers, such as one that the server wants to let a request in.
        timeout_s: for one request.
        allow_http: whether the URL may be one without TLS.
        allow_private_addresses: whether the host may have an address that the internet does not route.
        ca_file: certificates to trust in place of the system's.
    """

    url: str | Secret
    secret: Secret
    headers: dict[str, str | Secret] = {}
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 10.0
    allow_http: bool = False
    allow_private_addresses: bool = False
    ca_file: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.url, str):
            self._web_address(self.url)

    def sender(self, folder: Path) -> Sender:
        try:
            url = self._web_address(revealed(self.url, folder))
            key = _key(self.secret.read(folder))
            headers = {name: _header(name, revealed(value, folder)) for name, value in self.headers.items()}
            post = Post(self.timeout_s, self.allow_private_addresses, self._trusted(folder))
        except (UsageError, ValueError) as error:
            raise UsageError(f"destination {self.name}: {error}") from None
        return _Sender(post, url, headers, key, self.source)

    def _web_address(self, url: str) -> Url:
        try:
            return web_address(url, allow_http=self.allow_http)
        except ValueError as error:
            raise ValueError(f"`url` {error}") from None

    def _trusted(self, folder: Path) -> Path | None:
        ca_file = None if self.ca_file is None else folder / self.ca_file
        if ca_file is not None and not ca_file.is_file():
            raise ValueError(f"`ca_file` {ca_file} is no file")
        return ca_file


class _Sender:
    batch = 10

    def __init__(self, post: Post, url: Url, headers: dict[str, str], key: bytes, source: str) -> None:
        self._post, self._url, self._headers = post, url, headers
        self._key, self._source = key, source

    def send(self, deliveries: Sequence[Delivery], now: datetime) -> Iterator[Outcome]:
        for delivery in deliveries:
            yield delivery, self._send(delivery, now)

    def close(self) -> None:
        pass

    def _send(self, delivery: Delivery, now: datetime) -> Failure | None:
        body = event(delivery, self._source)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"guardray/{__version__}",
            **self._headers,
            **signed(str(message_id(delivery)), int(now.timestamp()), body, self._key),
        }
        try:
            return _failure(self._post.send(self._url, headers, body), now)
        except PostError as error:
            return Failure(str(error))


def signed(id_: str, timestamp: int, body: bytes, key: bytes) -> dict[str, str]:
    """The headers that tell who sent a body, and when: in seconds since 1970."""
    content = f"{id_}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return {"webhook-id": id_, "webhook-timestamp": str(timestamp), "webhook-signature": f"v1,{signature}"}


def _header(name: str, value: str) -> str:
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(f"the header {name} has characters that no header can have") from None
    return value


def _key(secret: str) -> bytes:
    try:
        encoded = secret.removeprefix(SECRET_PREFIX)
        key = base64.b64decode(encoded, validate=True) if encoded != secret else secret.encode()
    except binascii.Error:
        raise ValueError(f"the secret starts with {SECRET_PREFIX} and does not go on in Base64") from None
    if len(key) < SECRET_BYTES:
        raise ValueError(f"the secret is shorter than {SECRET_BYTES} bytes")
    return key


def _failure(answer: Answer, now: datetime) -> Failure | None:
    if 200 <= answer.status < 300:
        return None
    reason = f"the server answers {answer.status} {answer.reason}".rstrip()
    if 300 <= answer.status < 400:
        reason += ", and redirects are not followed"
    return Failure(reason, _wait(answer.retry_after, now))


def _wait(retry_after: str | None, now: datetime) -> timedelta | None:
    """What the header asks for: seconds, or a date. None where it is missing or neither."""
    text = (retry_after or "").strip()
    if text.isdecimal() and text.isascii():
        return timedelta(seconds=min(int(text), 1 << 31))
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(until.replace(tzinfo=until.tzinfo or UTC) - now, timedelta())
