"""What the routes beside GuardDuty's have in common: who calls, errors in the same form, and a request id in all."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import uuid4

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as WebRequest
from starlette.responses import Response as WebResponse

from guardray.access.gate import Gate
from guardray.access.identity import Holder
from guardray.access.permissions import QUERY
from guardray.access.refusals import answer
from guardray.access.request import Request
from guardray.api.core import refusal
from guardray.api.errors import ApiError, access_denied, internal_error, not_found
from guardray.errors import AccessRefusedError, StoreError
from guardray.types import AccountId

_LOG = logging.getLogger(__name__)

UNAVAILABLE = 503

PLAIN = b"/v1/"
"""What the paths of the plain API begin with."""

Endpoint = Callable[[WebRequest, str], Awaitable[WebResponse]]
"""Answers a request, which has this id. What it raises is answered as an error."""


class Operators:
    """Who may see how the service stands: those who may look at findings, of the account that all others belong to.

    Args:
        management_account: null: every account is its own master, and each of them may.
    """

    def __init__(self, gate: Gate, management_account: AccountId | None = None) -> None:
        self._gate = gate
        self._management_account = management_account

    def admit(self, request: Request) -> Holder:
        """Who calls.

        Raises:
            AccessRefusedError: the credentials are not good, or not for this.
            ApiError: they are a member account's.
            StoreError: the store cannot be asked.
        """
        holder = self._gate.plain(request, QUERY)
        if self._management_account not in (None, holder.account_id):
            raise access_denied("only the management account may see how the service stands")
        return holder


def endpoint(handle: Endpoint) -> Callable[[WebRequest], Awaitable[WebResponse]]:
    """A route from a handler."""

    async def route(web: WebRequest) -> WebResponse:
        request_id = str(uuid4())
        try:
            response = await handle(web, request_id)
        except AccessRefusedError as error:
            headers, body = answer(error, request_id)
            response = WebResponse(body, error.status, headers)
        except ApiError as error:
            response = refused(error, request_id)
        except StoreError as error:
            _LOG.warning("the store does not answer", extra={"request_id": request_id, "reason": str(error)})
            response = refused(unavailable("the store does not answer"), request_id)
        except Exception:
            _LOG.exception("request failed", extra={"request_id": request_id})
            response = refused(internal_error(), request_id)
        response.headers["x-amzn-RequestId"] = request_id
        return response

    return route


async def admitted(operators: Operators, web: WebRequest, request_id: str) -> Holder:
    """Who calls a route that is for operators; raises as `Operators.admit`."""
    return await run_in_threadpool(operators.admit, request_of(web, request_id))


def nowhere(gate: Gate) -> Endpoint:
    """The answer to whoever may look, of paths below `/v1` that lead nowhere: that there is nothing."""

    async def handle(web: WebRequest, request_id: str) -> WebResponse:
        await run_in_threadpool(gate.plain, request_of(web, request_id), QUERY)
        raise not_found(f"there is no {web.method[:20]} {web.scope['raw_path'].decode('latin-1')[:200]}")

    return handle


def request_of(web: WebRequest, request_id: str, body: bytes = b"") -> Request:
    """A request as the gate looks at it; without its body where that does not matter, or is not there yet."""
    scope = web.scope
    return Request.of_wire(
        web.method,
        scope["raw_path"],
        scope["query_string"],
        scope["headers"],
        body,
        request_id=request_id,
        source_ip=web.client.host if web.client else "",
    )


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> WebResponse:
    """An answer of plain JSON, which nobody may keep."""
    told = {"Content-Type": "application/json", "Cache-Control": "no-store", **(headers or {})}
    return WebResponse(msgspec.json.encode(value), status, told)


def refused(error: ApiError, request_id: str, retry_after_s: int | None = None) -> WebResponse:
    """An error as clients of the API know it, and when to try again where that is any help."""
    response = refusal(error, request_id)
    headers = response.headers if retry_after_s is None else response.headers | {"Retry-After": str(retry_after_s)}
    return WebResponse(response.body, response.status, headers)


def unavailable(reason: str) -> ApiError:
    """503: it is our fault, and may be over soon."""
    code = "ServiceUnavailableException"
    return ApiError(f"The request cannot be served because {reason}.", code, code, UNAVAILABLE)
