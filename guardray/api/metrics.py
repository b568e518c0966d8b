"""`GET /metrics`, for Prometheus: to operators, and by default to this machine."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import ip_address

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as WebRequest
from starlette.responses import Response as WebResponse

from guardray.api.plain import Operators, admitted, endpoint
from guardray.api.status_reader import StatusReader
from guardray.service.metrics import CONTENT_TYPE, exposition

_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""A proxy on this machine sends one of them with what others asked it."""

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class MetricsAccess(StrEnum):
    """Who gets the metrics."""

    TOKEN = "token"
    """Operators, by a bearer token or a signature. To be chosen behind a proxy that does not say for whom it asks."""
    LOCAL = "local"
    """Operators, and everybody on this machine."""
    OPEN = "open"
    """Everybody: names of sources and destinations are told to all who can reach the port."""


def add_metrics(router: APIRouter, reader: StatusReader, operators: Operators, access: MetricsAccess) -> None:
    """Add the route."""

    async def metrics(web: WebRequest, request_id: str) -> WebResponse:
        if access is not MetricsAccess.OPEN and not (access is MetricsAccess.LOCAL and is_local(web)):
            await admitted(operators, web, request_id)
        look = await run_in_threadpool(reader.look)
        body = exposition(look.status, store_answers=look.trouble is None, now=look.at)
        return WebResponse(body, headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})

    router.add_api_route("/metrics", endpoint(metrics), methods=["GET"], response_model=None)


def is_local(web: WebRequest) -> bool:
    """Whether a program on this machine asks for itself.

    Neither a proxy that passes on what others ask does, nor a web page whose name was made to lead here.
    """
    if web.client is None or any(name in web.headers for name in _FORWARDED):
        return False
    try:
        came_from_here = ip_address(web.client.host).is_loopback
    except ValueError:
        return False
    return came_from_here and web.url.hostname in _LOCAL_NAMES
