"""The web application: it hands what comes over HTTP to the core, as it came, and sends what the core says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

from fastapi import APIRouter, FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as WebRequest
from starlette.responses import Response as WebResponse
from starlette.types import Receive, Scope, Send

from guardray.access.gate import Gate
from guardray.access.request import Request
from guardray.api.core import Api, Response, operation_of, refusal
from guardray.api.errors import ApiError
from guardray.api.inputs import MAX_BODY_BYTES
from guardray.api.plain import PLAIN, endpoint, nowhere
from guardray.api.rounds import Keeper, make_rounds
from guardray.errors import AccessRefusedError

_FAULT = 500

_Answer = Callable[[WebRequest], Awaitable[WebResponse]]


def build_app(api: Api, gate: Gate, keeper: Keeper, router: APIRouter | None = None) -> FastAPI:
    """GuardDuty's API as an ASGI application. It keeps nothing, so that any number of them may serve one store.

    Args:
        keeper: carries out what is asked of lists and destinations, while the application runs.
        router: routes that are not GuardDuty's, and come before them; see `guardray.api.service_routes`.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        rounds = asyncio.create_task(make_rounds(keeper, gate))
        yield
        rounds.cancel()
        with suppress(asyncio.CancelledError):
            await rounds

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan, redirect_slashes=False)

    async def serve(web: WebRequest) -> WebResponse:
        request_id = str(uuid4())
        body = await _body(web)
        if body is None:
            return _sent(refusal(_too_large(), request_id))
        request = Request.of_wire(
            web.method,
            web.scope["raw_path"],
            web.scope["query_string"],
            web.scope["headers"],
            body,
            request_id=request_id,
            source_ip=web.client.host if web.client else "",
        )
        return _sent(await run_in_threadpool(_handled, api, gate, request))

    if router is not None:
        app.include_router(router)
    unknown = None if router is None else endpoint(nowhere(gate))
    app.router.default = _Everything(serve, unknown)
    app.add_exception_handler(405, _wrong_method)
    return app


class _Everything:
    """An ASGI application for what no route is for. A route would leave some out: methods, and newlines in paths."""

    def __init__(self, serve: _Answer, unknown: _Answer | None) -> None:
        self._serve, self._unknown = serve, unknown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # nobody speaks to us in web sockets
            await send({"type": "websocket.close"})
            return
        is_plain = self._unknown is not None and scope["raw_path"].startswith(PLAIN)
        answer = self._unknown if is_plain and self._unknown is not None else self._serve
        response = await answer(WebRequest(scope, receive, send))
        await response(scope, receive, send)


async def _wrong_method(web: WebRequest, error: Exception) -> WebResponse:
    """Of a route beside GuardDuty's, in the form of the other errors."""
    code = "MethodNotAllowedException"
    response = _sent(refusal(ApiError(f"There is no {web.method[:20]} of this path.", code, code, 405), str(uuid4())))
    response.headers.update(getattr(error, "headers", None) or {})
    return response


def _handled(api: Api, gate: Gate, request: Request) -> Response:
    try:
        identity = gate.admit(request, operation_of(request))
    except AccessRefusedError as error:
        return _not_admitted(error, request.request_id)
    response = api.handle(request, identity)
    if response.status >= _FAULT:
        gate.forget(request)  # clients send it again as it is, which would be a replay
    return response


def _not_admitted(error: AccessRefusedError, request_id: str) -> Response:
    response = refusal(ApiError(error.message, error.code, error.code, error.status), request_id)
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


async def _body(web: WebRequest) -> bytes | None:
    """The body; None where it is larger than any may be, of which no more is read than that."""
    body = bytearray()
    async for part in web.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)


def _too_large() -> ApiError:
    code = "RequestEntityTooLargeException"
    return ApiError(f"The request has more than {MAX_BODY_BYTES:,} bytes.", code, code, 413)


def _sent(response: Response) -> WebResponse:
    return WebResponse(response.body, response.status, response.headers)
