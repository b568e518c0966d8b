"""uvicorn in a thread of the test's process."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager, suppress

import uvicorn

_TICK_S = 0.1


class _Server(uvicorn.Server):
    """Ends when it is told to. As it is, uvicorn looks only now and then, and waits for clients that are gone.

    That is a fifth of a second, which hundreds of tests would spend asleep.
    """

    async def startup(self, sockets=None):
        self._loop, self._told = asyncio.get_running_loop(), asyncio.Event()
        await super().startup(sockets)

    async def main_loop(self):
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), _TICK_S)

    async def shutdown(self, sockets=None):
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0)  # those that were idle are gone after it
        await self._wait_tasks_to_complete()
        await self.lifespan.shutdown()

    def end(self):
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._told.set)


@contextmanager
def running(app):
    """The port of the loopback at which this application is served meanwhile."""
    server = _Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.end()
        thread.join(10)
