"""`GET /v1/status` and `GET /v1/sources`: how the service stands, for operators."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as WebRequest
from starlette.responses import Response as WebResponse

from guardray.api.errors import not_found
from guardray.api.plain import Operators, admitted, endpoint, json_answer, unavailable
from guardray.api.status_reader import Look, StatusReader
from guardray.service.status import ServiceStatus


def add_service_view(router: APIRouter, reader: StatusReader, operators: Operators) -> None:
    """Add both routes. Each says whether the service works, and of when what follows is."""

    async def status(web: WebRequest, request_id: str) -> WebResponse:
        await admitted(operators, web, request_id)
        look, found = await _found(reader)
        return json_answer({**_standing(look, found.told_at), "status": found})

    async def sources(web: WebRequest, request_id: str) -> WebResponse:
        await admitted(operators, web, request_id)
        look, found = await _found(reader)
        return json_answer({**_standing(look, found.told_at), "sources": found.sources})

    for path, handle in (("/v1/status", status), ("/v1/sources", sources)):
        router.add_api_route(path, endpoint(handle), methods=["GET"], response_model=None)


async def _found(reader: StatusReader) -> tuple[Look, ServiceStatus]:
    look = await run_in_threadpool(reader.look)
    if look.trouble is not None:
        raise unavailable(look.trouble)
    if look.status is None:
        raise not_found("no service has run on this store")
    return look, look.status


def _standing(look: Look, told_at: datetime) -> dict[str, Any]:
    return {"told_at": told_at, "ready": look.not_ready() is None, "reason": look.not_ready()}
