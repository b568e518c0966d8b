"""The status of the service, for those who ask over HTTP: read at most once a second, however many ask."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from time import monotonic

from guardray.access.gate import utc_now
from guardray.errors import StoreError
from guardray.service.list_problems import list_problems
from guardray.service.status import KnownProblem, PublisherStatus, ServiceStatus, decoded
from guardray.store.database import Database
from guardray.store.outbox_overview import status as destinations
from guardray.store.service_status import StatusBoard

_LOG = logging.getLogger(__name__)

KEPT_S = 1.0
"""For how long an answer of the store is good: probes need no credentials, and are not to keep the store busy."""

DESTINATIONS_KEPT_S = 15.0
"""How the outbox stands is counted over all that was ever sent, which takes the longer the more that is."""

_PATIENCE_S = 1.0
"""How long to wait for another thread that asks the store. It may hang for as long as a connection takes to fail."""


@dataclass(frozen=True)
class Look:
    """What was found in the store.

    Attributes:
        status: null where no service has run yet, or it could not be read.
        trouble: why it could not be read, in words that anybody may see; null: it could.
        at: when it was looked at.
    """

    status: ServiceStatus | None
    trouble: str | None
    at: datetime

    def not_ready(self) -> str | None:
        """Why the service takes no work; null: it does."""
        if self.trouble is not None:
            return self.trouble
        return "no service has run on this store" if self.status is None else self.status.not_ready(self.at)


class StatusReader:
    """Looks at the status in the store. Any number of threads may use it."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._board = StatusBoard(database)
        self._clock = clock
        self._lock = threading.Lock()
        self._status: ServiceStatus | None = None
        self._trouble: str | None = "the store has not answered yet"
        self._publishers: tuple[PublisherStatus, ...] = ()
        self._list_problems: tuple[KnownProblem, ...] = ()
        self._asked_at = self._counted_at = float("-inf")

    def look(self) -> Look:
        """The status as it was not more than a second ago, or longer if the store does not answer. It never raises.

        Destinations are told from the outbox, since publishers are processes of their own, and so are lists that cannot
        be used.
        """
        if self._lock.acquire(timeout=_PATIENCE_S):
            try:
                if monotonic() - self._asked_at > KEPT_S:
                    self._ask()
                    self._asked_at = monotonic()
            finally:
                self._lock.release()
        return Look(self._status, self._trouble, self._clock())

    def _ask(self) -> None:
        try:
            content = self._board.read()
            self._count()
        except StoreError as error:
            # Its text names hosts and paths, which are nobody's business who has shown no credentials.
            _LOG.warning("the store does not answer", extra={"reason": str(error)})
            self._trouble = "the store does not answer"
            return
        try:
            self._status = None if content is None else self._with_the_rest(decoded(content))
            self._trouble = None
        except StoreError as error:
            _LOG.warning("the status cannot be read", extra={"reason": str(error)})
            self._trouble = "the status of the service cannot be read"

    def _with_the_rest(self, status: ServiceStatus) -> ServiceStatus:
        return replace(status, publishers=self._publishers, problems=(*status.problems, *self._list_problems))

    def _count(self) -> None:
        if monotonic() - self._counted_at > DESTINATIONS_KEPT_S:
            with self._database.reading() as connection:
                found = destinations(connection, self._clock())
                self._list_problems = list_problems(connection)
            self._publishers = tuple(
                PublisherStatus(destination=one.name, due=one.due, dead=one.dead, last_sent=one.last_sent)
                for one in found
                if one.active
            )
            self._counted_at = monotonic()
