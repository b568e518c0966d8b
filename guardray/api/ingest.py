"""`POST /v1/ingest/{source}`: logs that are sent to us, taken only when they are safe on the disk."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from time import monotonic

import anyio
from anyio import from_thread, to_thread
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.requests import Request as WebRequest
from starlette.responses import Response as WebResponse

from guardray.access.gate import Gate
from guardray.access.permissions import INGEST
from guardray.access.refusals import no_token
from guardray.api.errors import ApiError, bad_request
from guardray.api.plain import endpoint, json_answer, refused, request_of, unavailable
from guardray.connectors.spool import Accepted, Spool
from guardray.errors import AccessRefusedError, RefusedError, SpoolFullError, UsageError

_LOG = logging.getLogger(__name__)

UPLOADS_MAX = 16
"""At once, in this process. Each holds a thread and, where it tells no length, room for the largest body."""

PIECE_S, BODY_S = 30.0, 600.0
"""How long a sender may be silent, and how long it may take in all."""

_AGAIN_S = 2
"""After so long another upload has probably ended."""

_DRAINED_BYTES, _DRAINED_S = 16 << 20, 5.0
"""Of a body that is refused, so much is read and thrown away: most clients look for an answer only when they have sent
all, and lose it if the connection ends before."""


def add_ingest(router: APIRouter, gate: Gate, spool: Spool, max_body_bytes: int) -> None:
    """Add the route.

    Args:
        max_body_bytes: of one body, as it is sent; see `SpoolConfig`.
    """
    slots = anyio.CapacityLimiter(UPLOADS_MAX)

    async def ingest(web: WebRequest, request_id: str) -> WebResponse:
        pieces = web.stream()
        try:
            await _admit(gate, web, request_id)
            _check_size(web, max_body_bytes)
            if slots.available_tokens < 1:
                raise SpoolFullError(f"{UPLOADS_MAX} bodies are being sent already", _AGAIN_S)
            accepted = await to_thread.run_sync(_accept, spool, web, pieces, max_body_bytes, limiter=slots)
        except ClientDisconnect:
            return WebResponse(status_code=400)  # nobody is there to read it
        except SpoolFullError as error:
            await _drain(web, pieces)
            return refused(_busy(error), request_id, error.retry_after_s)
        except (AccessRefusedError, ApiError):
            await _drain(web, pieces)
            raise
        return json_answer({"name": accepted.name, "size": accepted.size}, 202)

    router.add_api_route("/v1/ingest/{source}", endpoint(ingest), methods=["POST"], response_model=None)


async def _admit(gate: Gate, web: WebRequest, request_id: str) -> None:
    """Let those pass who may bring logs. A signature would be of the body, which is not to be had before it is sent."""
    if not web.headers.get("authorization", "").startswith("Bearer "):
        raise no_token()
    await run_in_threadpool(gate.plain, request_of(web, request_id), INGEST)


def _check_size(web: WebRequest, most: int) -> None:
    encoding = web.headers.get("content-encoding", "identity").lower()
    if encoding not in ("identity", "gzip"):  # a body in gzip is kept as it comes, like a file that ends in .gz
        code = "UnsupportedMediaTypeException"
        raise ApiError(f"The request is rejected because {encoding[:50]!r} is not read: gzip is.", code, code, 415)
    if (_length(web) or 0) > most:
        raise _too_large(most)


def _length(web: WebRequest) -> int | None:
    length = web.headers.get("content-length", "")
    return int(length) if length.isdecimal() else None


def _accept(spool: Spool, web: WebRequest, pieces: AsyncGenerator[bytes], most: int) -> Accepted:
    """Store the body, in a thread of its own. Raises ApiError where it is refused."""
    try:
        return spool.accept(web.path_params["source"], _sent(pieces, most), _length(web))
    except (RefusedError, UsageError) as error:
        raise bad_request(str(error)) from error
    except TimeoutError as error:
        code = "RequestTimeoutException"
        raise ApiError("The request is rejected because its body came too slowly.", code, code, 408) from error
    except OSError as error:
        _LOG.exception("a body cannot be kept", extra={"source": web.path_params["source"]})
        raise unavailable("its body cannot be kept") from error


def _sent(pieces: AsyncGenerator[bytes], most: int) -> Iterator[bytes]:
    """The body as it comes, as a thread reads it."""
    size, end = 0, monotonic() + BODY_S
    while (piece := from_thread.run(_next, pieces, min(PIECE_S, end - monotonic()))) is not None:
        size += len(piece)
        if size > most:
            raise _too_large(most)
        yield piece


async def _next(pieces: AsyncGenerator[bytes], wait_s: float) -> bytes | None:
    """The next piece, or null at the end. Raises TimeoutError."""
    with anyio.fail_after(wait_s):
        return await anext(pieces, None)


async def _drain(web: WebRequest, pieces: AsyncGenerator[bytes]) -> None:
    """Read what is left of a body that is refused, unless its sender waits to be asked for it."""
    if web.headers.get("expect", "").lower() == "100-continue":
        return
    size, end = 0, monotonic() + _DRAINED_S
    with suppress(ClientDisconnect, TimeoutError):
        while size < _DRAINED_BYTES and (piece := await _next(pieces, end - monotonic())) is not None:
            size += len(piece)


def _too_large(most: int) -> ApiError:
    code = "RequestEntityTooLargeException"
    return ApiError(f"The request is rejected because the body is larger than {most:,} bytes.", code, code, 413)


def _busy(error: SpoolFullError) -> ApiError:
    code = "TooManyRequestsException"
    return ApiError(f"The request is rejected for now because {error.args[0]}.", code, code, 429)
