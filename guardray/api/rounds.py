"""What an application does between requests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from time import monotonic

from starlette.concurrency import run_in_threadpool

from guardray.access.gate import Gate
from guardray.api.activation import ListKeeper
from guardray.errors import GuardrayError

_LOG = logging.getLogger(__name__)

PAUSE_S = 1.0
"""Between two looks at lists: clients ask every few seconds whether theirs is in use."""

SAVE_USE_EVERY_S = 120.0


async def make_rounds(keeper: ListKeeper, gate: Gate) -> None:
    """Carries out what is asked of lists, and has the gate write down which keys were used, until it is cancelled."""
    saved = monotonic()
    while True:
        await _attempt("lists", keeper.run_once)
        if monotonic() - saved > SAVE_USE_EVERY_S:
            saved = monotonic()
            await _attempt("keys", gate.save_use)
        await asyncio.sleep(PAUSE_S)


async def _attempt(what: str, step: Callable[[], object]) -> None:
    """A round that fails is told of in the log, and the next one is made all the same."""
    try:
        await run_in_threadpool(step)
    except (GuardrayError, OSError):
        _LOG.exception("round failed", extra={"what": what})
