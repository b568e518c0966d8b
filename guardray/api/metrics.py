"""`GET /metrics`, for Prometheus."""

from __future__ import annotations

from enum import StrEnum

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as WebRequest
from starlette.responses import Response as WebResponse

from guardray.api.plain import Operators, admitted, endpoint
from guardray.api.status_reader import StatusReader
from guardray.service.metrics import CONTENT_TYPE, exposition


class MetricsAccess(StrEnum):
    """Who gets the metrics.

    Programs on the same machine are no third kind: behind a proxy, such as Ray Serve's, everybody seems to be one.
    """

    TOKEN = "token"
    """Operators, by a bearer token or a signature."""
    OPEN = "open"
    """Everybody: names of sources and destinations are told to all who can reach the port."""


def add_metrics(router: APIRouter, reader: StatusReader, operators: Operators, access: MetricsAccess) -> None:
    """Add the route."""

    async def metrics(web: WebRequest, request_id: str) -> WebResponse:
        if access is MetricsAccess.TOKEN:
            await admitted(operators, web, request_id)
        look = await run_in_threadpool(reader.look)
        body = exposition(look.status, store_answers=look.trouble is None, now=look.at)
        return WebResponse(body, headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})

    router.add_api_route("/metrics", endpoint(metrics), methods=["GET"], response_model=None)
