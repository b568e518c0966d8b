"""The findings store: whether it opens, as a scan would open it."""

from __future__ import annotations

from guardray.cli.checks.check import Check, fail, ok
from guardray.errors import StoreError


def check_store(url: str) -> Check:
    """Opens the store, which makes one that is missing and brings an older one to this program's schema."""
    # SQLAlchemy costs start-up that other checks need not spend.
    from guardray.store.findings import FindingStore
    from guardray.store.query import FindingQuery

    try:
        with FindingStore.open(url) as store:
            store.findings(FindingQuery(limit=1))
    except StoreError as error:
        return fail("Store", str(error), "check the URL, the server and your rights in the database")
    return ok("Store", "opens and can be read, of this program's schema")
