"""`GET /v1/status`, `/v1/sources` and `/v1/pools`: how the service stands, for operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as WebRequest
from starlette.responses import Response as WebResponse

from guardray.api.errors import not_found
from guardray.api.plain import Endpoint, Operators, admitted, endpoint, json_answer, unavailable
from guardray.api.service_answers import Pools, Sources, Standing, Status
from guardray.api.status_reader import Look, StatusReader
from guardray.service.status import ServiceStatus

_Answer = Callable[[ServiceStatus, dict[str, Any]], Standing]
"""From a status, and what each answer tells of it, to the answer."""

_ANSWERS: dict[str, _Answer] = {
    "/v1/status": lambda found, standing: Status(status=found, **standing),
    "/v1/sources": lambda found, standing: Sources(sources=found.sources, watermark=found.watermark, **standing),
    "/v1/pools": lambda found, standing: Pools(pools=found.pools, **standing),
}


def add_service_view(router: APIRouter, reader: StatusReader, operators: Operators) -> None:
    """Add the routes. Each says whether the service works, and of when what follows is."""

    def handler(answer: _Answer) -> Endpoint:
        async def handle(web: WebRequest, request_id: str) -> WebResponse:
            await admitted(operators, web, request_id)
            look, found = await _found(reader)
            reason = look.not_ready()
            return json_answer(answer(found, {"told_at": found.told_at, "ready": reason is None, "reason": reason}))

        return handle

    for path, answer in _ANSWERS.items():
        router.add_api_route(path, endpoint(handler(answer)), methods=["GET"], response_model=None)


async def _found(reader: StatusReader) -> tuple[Look, ServiceStatus]:
    look = await run_in_threadpool(reader.look)
    if look.trouble is not None:
        raise unavailable(look.trouble)
    if look.status is None:
        raise not_found("no service has run on this store")
    return look, look.status
