"""`/healthz` and `/readyz`: whether this process lives, and whether the service works. They need no credentials."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as WebRequest
from starlette.responses import Response as WebResponse

from guardray.api.plain import UNAVAILABLE, endpoint, json_answer
from guardray.api.status_reader import StatusReader


def add_health(router: APIRouter, reader: StatusReader) -> None:
    """Add both routes.

    `/healthz` is 200 for as long as the process answers at all: it is to be started again when this fails. `/readyz` is
    200 while the service runs, says so, and the store answers, and 503 with the reason otherwise.
    """

    async def alive(web: WebRequest, request_id: str) -> WebResponse:
        return json_answer({"alive": True})

    async def ready(web: WebRequest, request_id: str) -> WebResponse:
        reason = (await run_in_threadpool(reader.look)).not_ready()
        if reason is None:
            return json_answer({"ready": True})
        return json_answer({"ready": False, "reason": reason}, UNAVAILABLE)

    for path, handle in (("/healthz", alive), ("/readyz", ready)):
        router.add_api_route(path, endpoint(handle), methods=["GET", "HEAD"], response_model=None)
