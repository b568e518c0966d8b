"""What is said of a service whose coordinator died for good: it cannot say so itself, and its last status was well."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from guardray.errors import FencedError
from guardray.service.status import KnownProblem, Phase, decoded, encoded
from guardray.store.database import Database
from guardray.store.lease import Lease
from guardray.store.service_status import StatusBoard

_ENDED = (Phase.STOPPED, Phase.REFUSED, Phase.FAILED)
"""Of these the coordinator told itself."""


def tell_of_death(store_url: str, reason: str, now: datetime) -> None:
    """Have the status say that the service has failed, and why, and let the next one begin at once.

    Nothing changes where the coordinator told of its end itself, or where another one has taken its place.

    Raises:
        StoreError: the store refuses. The status is soon too old to be true then, which tells as much.
    """
    database = Database(store_url, migrate=False)
    try:
        board = StatusBoard(database)
        last = None if (content := board.read()) is None else decoded(content)
        if last is None or last.phase in _ENDED:
            return
        problems = (*last.problems, KnownProblem(text=reason, count=1, since=now))
        with suppress(FencedError):
            board.save(
                encoded(replace(last, phase=Phase.FAILED, told_at=now, problems=problems)), now, fence=last.fence
            )
            Lease(database).release(last.fence)
    finally:
        database.close()
