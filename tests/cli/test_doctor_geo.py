"""`guardray doctor` tells the age of the shipped data."""

from __future__ import annotations

from datetime import timedelta

from guardray.cli.checks.geo import MOST_AGE, check_geography
from guardray.geo import shipped

MADE = shipped.about().date


def test_data_is_in_order_up_to_half_a_year():
    assert check_geography(MADE + MOST_AGE).status == "ok"


def test_older_data_is_warned_of_with_its_age():
    check = check_geography(MADE + MOST_AGE + timedelta(days=1))
    assert (check.status, check.found.endswith("181 days old")) == ("warn", True)
