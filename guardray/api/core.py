"""The API without a web framework: a request of a known caller to the response."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

import msgspec
from sqlalchemy import Connection

from guardray.access.auditing import entry_of
from guardray.access.gate import utc_now
from guardray.access.identity import Identity
from guardray.access.permissions import is_change
from guardray.access.request import Request
from guardray.api.call import Call, Settings
from guardray.api.errors import ApiError, bad_request, internal_error
from guardray.api.inputs import read_input
from guardray.api.model import operations
from guardray.api.operations import HANDLERS
from guardray.api.outputs import write_output
from guardray.api.routes import match
from guardray.api.tokens import Pages
from guardray.errors import QueryRefusedError
from guardray.store.access_audit import DONE, AuditEntry, append
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
class _Asked:
    """A request that could be read."""

    request: Request
    identity: Identity
    operation: str
    params: Mapping[str, Any]
    time: datetime

    def entry(self, outcome: str) -> AuditEntry:
        return entry_of(self.identity, self.request, self.operation, self.params, self.time, outcome)


class Api:
    """GuardDuty's operations on one store. Changes are in the audit log, those that are refused as well."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._settings = settings
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
        operation = operations()[found.operation]
        params = read_input(operation, found.arguments, request.query, request.body)
        asked = _Asked(request, identity, found.operation, params, self._clock())
        answer = self._changed(asked) if is_change(found.operation) else self._read(asked)
        status: int = operation.http.get("responseCode", 200)
        body = b"" if status == _NO_CONTENT else write_output(operation, answer)
        return Response(status, body, _headers(request_id))

    def _read(self, asked: _Asked) -> Mapping[str, Any]:
        with self._database.reading() as connection:
            return self._run(asked, connection)

    def _changed(self, asked: _Asked) -> Mapping[str, Any]:
        try:
            with self._database.writing() as connection:
                answer = self._run(asked, connection)
                append(connection, asked.entry(DONE))
                return answer
        except ApiError as error:
            with self._database.writing() as connection:
                append(connection, asked.entry(error.code))
            raise

    def _run(self, asked: _Asked, connection: Connection) -> Mapping[str, Any]:
        call = Call(
            identity=asked.identity,
            params=asked.params,
            connection=connection,
            now=asked.time,
            pages=Pages(asked.operation, asked.identity, asked.params),
            settings=self._settings,
        )
        try:
            return HANDLERS[asked.operation](call)
        except QueryRefusedError as error:
            raise bad_request(f"the parameter {error}") from error


def operation_of(request: Request) -> str | None:
    """The operation that a request is for; None where its path leads to none."""
    try:
        return match(request.method, request.path).operation
    except ApiError:
        return None


def refusal(error: ApiError, request_id: str) -> Response:
    """An error as clients read it: the code in a header, the inner reason and the message in the body."""
    body = {"__type": error.inner, "message": error.message, "type": error.inner}
    return Response(error.status, msgspec.json.encode(body), {**_headers(request_id), "x-amzn-ErrorType": error.code})


def _headers(request_id: str) -> dict[str, str]:
    return {"Content-Type": "application/json", "x-amzn-RequestId": request_id}
