"""Tokens of pages: opaque, good for the request that they came from, and naming a place rather than a number."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from guardray.access.identity import Identity
from guardray.api.errors import bad_request

PAGE_SIZE = 50
"""Of a request that names none, and the most that most operations allow."""

_MAX_LENGTH = 2048
_NOT_OF_THE_QUESTION = frozenset({"NextToken", "MaxResults"})

Item = TypeVar("Item")


class Pages:
    """The token of one request, and the token that its answer gives.

    Whatever else the request says is part of what a token is good for: with other criteria it is refused.
    """

    def __init__(self, operation: str, identity: Identity, params: Mapping[str, Any]) -> None:
        asked = {name: value for name, value in params.items() if name not in _NOT_OF_THE_QUESTION}
        scope = [operation, identity.account_id, identity.region, sorted(asked.items())]
        self._question = hashlib.blake2b(msgspec.json.encode(scope), digest_size=12).hexdigest()
        self.size: int = params.get("MaxResults", PAGE_SIZE)
        self.after: Any = self._place(params["NextToken"]) if params.get("NextToken") else None

    def token(self, place: Any) -> str:
        """The token for what comes after a place, which JSON can hold."""
        return base64.urlsafe_b64encode(msgspec.json.encode([self._question, place])).decode()

    def cut(self, items: Sequence[Item], place: Callable[[Item], Any]) -> tuple[list[Item], str]:
        """A page of items, and the token of the next one: empty where there is none.

        Args:
            items: all of them, ascending by their place.
            place: what a number or a text orders items by; no two have the same.
        """
        try:
            rest = [item for item in items if self.after is None or place(item) > self.after]
        except TypeError:  # a place of another kind: somebody made the token up
            raise _refused() from None
        page = rest[: self.size]
        return page, self.token(place(page[-1])) if len(rest) > len(page) else ""

    def _place(self, token: str) -> Any:
        try:
            question, place = msgspec.json.decode(base64.b64decode(token[:_MAX_LENGTH], b"-_", validate=True))
        except (ValueError, TypeError, RecursionError):
            raise _refused() from None
        if question != self._question:
            raise _refused()
        return place


def _refused() -> Exception:
    return bad_request("the parameter nextToken is not a token of this request")
