"""What an application does between requests."""

from __future__ import annotations

import asyncio
import logging
from time import monotonic
from typing import Protocol

from starlette.concurrency import run_in_threadpool

from guardray.access.gate import Gate
from guardray.errors import GuardrayError

_LOG = logging.getLogger(__name__)

PAUSE_S = 1.0
"""Between two rounds: clients ask every few seconds whether theirs is in use."""

SAVE_USE_EVERY_S = 120.0


class Keeper(Protocol):
    """Carries out what the store says is wanted."""

    def run_once(self) -> int:
        """Takes every step that waits; gives how many it took."""
        ...


class Keepers:
    """Several keepers as one: where one fails, the others have their turn all the same."""

    def __init__(self, *keepers: Keeper) -> None:
        self._keepers = keepers

    def run_once(self) -> int:
        """Lets each take its steps."""
        return sum(_taken(keeper) for keeper in self._keepers)


async def make_rounds(keeper: Keeper, gate: Gate) -> None:
    """Has the keeper take its steps, and the gate write down which keys were used, until it is cancelled."""
    saved = monotonic()
    while True:
        await run_in_threadpool(_taken, keeper)
        if monotonic() - saved > SAVE_USE_EVERY_S:
            saved = monotonic()
            await run_in_threadpool(_save_use, gate)
        await asyncio.sleep(PAUSE_S)


def _taken(keeper: Keeper) -> int:
    """How many steps a keeper took; one that fails is told of in the log, and has its turn again."""
    try:
        return keeper.run_once()
    except (GuardrayError, OSError):
        _LOG.exception("round failed", extra={"keeper": type(keeper).__name__})
        return 0


def _save_use(gate: Gate) -> None:
    try:
        gate.save_use()
    except (GuardrayError, OSError):
        _LOG.exception("the use of keys is not saved")
