"""The shipped data on countries and networks: how old it is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from guardray.cli.checks.check import Check, ok, warn
from guardray.geo import shipped

MOST_AGE = timedelta(days=180)
"""Networks change hands by a few in a hundred a year, and the makers of the data warn that its updates may end."""


def check_geography(today: date | None = None) -> Check:
    """Age of the data that came with the program."""
    today = today or datetime.now(UTC).date()
    made = shipped.about().date
    found = f"countries and networks as of {made}, {(today - made).days} days old"
    if today - made > MOST_AGE:
        return warn("Geography", found, "install a newer version of guardray, or bring databases: scan --geo")
    return ok("Geography", found)
