"""The findings store: whether it opens, as a scan would open it, and what the service on it has to tell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from guardray.cli.checks.check import Check, fail, ok, warn
from guardray.cli.standing import look
from guardray.errors import OlderStoreError, StoreError


def check_store(url: str) -> Check:
    """Opens the store, which makes one that is missing."""
    # SQLAlchemy costs start-up that other checks need not spend.
    from guardray.store.findings import FindingStore
    from guardray.store.query import FindingQuery

    try:
        with FindingStore.open(url, migrate=False) as store:
            store.findings(FindingQuery(limit=1))
    except OlderStoreError as error:
        return warn("Store", str(error), "start the service of this version, when the other one has ended")
    except StoreError as error:
        return fail("Store", str(error), "check the URL, the server and your rights in the database")
    return ok("Store", "opens and can be read, of this program's schema")


def check_service(url: str) -> Iterator[Check]:
    """What a service that runs on the store says of itself: whether it works, and each problem that it has."""
    try:
        standing = look(url, datetime.now(UTC))
    except StoreError:
        return  # `check_store` says it
    if standing.status is None:
        return
    if standing.reason is None:
        yield ok("Service", "runs")
    else:
        yield warn("Service", standing.reason, "see `guardray status`")
    for problem in standing.status.problems:
        yield warn("Service", problem.text, "see `guardray status`, which says how often and since when")
