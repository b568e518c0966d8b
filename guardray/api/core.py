"""The API without a web framework: a request of a known caller to the response."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec
from sqlalchemy import Connection

from guardray.access.identity import Identity
from guardray.access.permissions import allows, is_change
from guardray.access.request import Request
from guardray.api.call import Call, Handler, Settings
from guardray.api.errors import ApiError, access_denied, bad_request, internal_error
from guardray.api.inputs import read_input
from guardray.api.model import operations
from guardray.api.operations import HANDLERS
from guardray.api.outputs import write_output
from guardray.api.routes import match
from guardray.api.tokens import Pages
from guardray.store.database import Database

_LOG = logging.getLogger(__name__)

_NO_CONTENT = 204


@dataclass(frozen=True)
class Response:
    """What goes back."""

    status: int
    body: bytes = field(repr=False)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """A change for the audit log, told in the transaction that makes it."""

    request: Request
    identity: Identity
    operation: str
    params: Mapping[str, Any]
    time: datetime


Audit = Callable[[Connection, Change], None]


def _unrecorded(connection: Connection, change: Change) -> None:
    """For a server without an audit log."""


class Api:
    """GuardDuty's operations on one store.

    Args:
        audit: is told of each change that is made, in its transaction.
        clock: what time it is.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        audit: Audit = _unrecorded,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._settings = settings
        self._audit = audit
        self._clock = clock

    def handle(self, request: Request, identity: Identity) -> Response:
        """The response to a request of this caller, whatever comes of it. It never raises."""
        request_id = request.request_id or str(uuid4())
        try:
            return self._answer(request, identity, request_id)
        except ApiError as error:
            return refusal(error, request_id)
        except Exception:
            _LOG.exception("request failed", extra={"request_id": request_id})
            return refusal(internal_error(), request_id)

    def _answer(self, request: Request, identity: Identity, request_id: str) -> Response:
        found = match(request.method, request.path)
        if not allows(identity.role, found.operation):
            raise access_denied(f"the role {identity.role} may not call {found.operation}")
        operation = operations()[found.operation]
        params = read_input(operation, found.arguments, request.query, request.body)
        body = write_output(operation, self._run(found.operation, params, request, identity))
        status: int = operation.http.get("responseCode", 200)
        return Response(status, b"" if status == _NO_CONTENT else body, _headers(request_id))

    def _run(self, name: str, params: Mapping[str, Any], request: Request, identity: Identity) -> Mapping[str, Any]:
        changes, now = is_change(name), self._clock()
        with self._database.writing() if changes else self._database.reading() as connection:
            call = Call(
                identity=identity,
                params=params,
                connection=connection,
                now=now,
                pages=Pages(name, identity, params),
                settings=self._settings,
            )
            answer = _handler(name)(call)
            if changes:
                self._audit(connection, Change(request, identity, name, params, now))
            return answer


def _handler(name: str) -> Handler:
    handler = HANDLERS.get(name)
    if handler is None:
        raise bad_request(f"guardray does not have the operation {name}")
    return handler


def refusal(error: ApiError, request_id: str) -> Response:
    """An error as clients read it: the code in a header, the inner reason and the message in the body."""
    body = {"__type": error.inner, "message": error.message, "type": error.inner}
    return Response(error.status, msgspec.json.encode(body), {**_headers(request_id), "x-amzn-ErrorType": error.code})


def _headers(request_id: str) -> dict[str, str]:
    return {"Content-Type": "application/json", "x-amzn-RequestId": request_id}
