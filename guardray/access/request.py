"""A request as it came, before anything is decoded: signatures cover what was on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class Request:
    """An HTTP request.

    Text is of one character a byte (Latin-1), so that it is hashed as it was sent.

    Attributes:
        path: percent-encoded, as the client sent it, with any prefix that the client was given.
        query: what follows the question mark, percent-encoded.
        headers: names in lower case, in the order in which they came; a name may come twice.
        request_id: what the answer will carry, for the audit log.
        source_ip: where it came from, for the audit log.
    """

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    request_id: str = ""
    source_ip: str = ""

    @classmethod
    def of_wire(
        cls,
        method: str,
        raw_path: bytes,
        raw_query: bytes,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes,
        *,
        request_id: str = "",
        source_ip: str = "",
    ) -> Request:
        """The request as ASGI servers give it (`raw_path`, `query_string`, `headers`)."""
        decoded = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers)
        path, query = raw_path.decode("latin-1"), raw_query.decode("latin-1")
        return cls(method, path, query, decoded, body, request_id, source_ip)

    @cached_property
    def by_name(self) -> dict[str, list[str]]:
        """The values of each header, in the order in which they came."""
        values: dict[str, list[str]] = {}
        for name, value in self.headers:
            values.setdefault(name, []).append(value)
        return values

    def header(self, name: str) -> str | None:
        """The first value of a header, or null."""
        values = self.by_name.get(name)
        return values[0] if values else None
