"""Whose a public address was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from guardray.inventory import Inventory
from guardray.inventory.facts import BEGINNING, FactList

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
OURS, THEIRS = "111122223333", "444455556666"
ADDRESS = "192.0.2.10"


def inventory(*facts):
    found = FactList()
    for account, kind, time, columns in facts:
        found.at(account, "eu-west-1").add(kind, time, **columns)
    return Inventory(found.frame())


def test_an_address_is_its_accounts_from_the_day_that_it_was_given():
    known = inventory((OURS, "allocated", NOON, {"public_ip": ADDRESS, "link_uid": "eipalloc-1"}))
    assert known.owner(ADDRESS, NOON - HOUR) is None
    assert known.owner(ADDRESS, NOON + HOUR) == OURS
    assert known.owner("192.0.2.11", NOON) is None


@pytest.mark.parametrize(
    ("given", "end"),
    [
        ({"instance_uid": "i-1"}, ("ended", {"instance_uid": "i-1"})),
        ({"interface_uid": "eni-1"}, ("deleted", {"interface_uid": "eni-1"})),
        ({"interface_uid": "eni-1", "link_uid": "eipassoc-1"}, ("released", {"link_uid": "eipassoc-1"})),
    ],
    ids=["its instance ends", "its interface is deleted", "its association is dissolved"],
)
def test_an_address_goes_when(given, end):
    kind, columns = end
    known = inventory(
        (OURS, "public", NOON, {"public_ip": ADDRESS, **given}),
        (OURS, kind, NOON + HOUR, columns),
    )
    assert known.owner(ADDRESS, NOON + HOUR / 2) == OURS
    assert known.owner(ADDRESS, NOON + 2 * HOUR) is None


def test_the_later_of_two_accounts_has_the_address():
    known = inventory(
        (OURS, "allocated", NOON, {"public_ip": ADDRESS, "link_uid": "a"}),
        (THEIRS, "allocated", NOON + HOUR, {"public_ip": ADDRESS, "link_uid": "b"}),
    )
    assert known.owner(ADDRESS, NOON + HOUR / 2) == OURS
    assert known.owner(ADDRESS, NOON + 2 * HOUR) == THEIRS


def test_an_address_that_two_accounts_claim_alike_is_nobodys():
    known = inventory(
        (OURS, "allocated", BEGINNING, {"public_ip": ADDRESS, "link_uid": "a"}),
        (THEIRS, "allocated", BEGINNING, {"public_ip": ADDRESS, "link_uid": "b"}),
    )
    assert known.owner(ADDRESS, NOON) is None
    assert known.accounts == {OURS, THEIRS}


def test_nothing_is_known_of_an_empty_inventory():
    assert Inventory().owner(ADDRESS, NOON) is None
    assert Inventory().accounts == frozenset()
