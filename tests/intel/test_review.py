"""What a person is told of one value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.errors import UsageError
from guardray.intel.categories import has
from guardray.intel.entries import Entries, ThreatList
from guardray.intel.review import review
from guardray.intel.store import IndicatorStore
from guardray.intel.values import entries_of_value

NOW = datetime(2024, 5, 1, tzinfo=UTC)
HERE = frozenset({("111122223333", "eu-west-1")})


def store_of(*lists):
    return IndicatorStore(lists)


def listed(value, category="c2", name="bad", scope=None):
    return ThreatList(name, category, None, 1, 0, scope=scope), entries_of_value(value)


def test_an_expired_entry_is_said_to_be():
    row = pl.DataFrame({"name": ["bad.example.com"], "expires": [NOW - timedelta(days=1)], "confidence": [70]})
    said = review(store_of((ThreatList("bad", "c2", "Botnet", 1, 0), Entries.of(domains=row))), "bad.example.com", NOW)
    assert said.verdict == "bad.example.com is on 1 of 1 list, and all entries have expired"
    (one,) = said.named
    assert (one.threat_name, one.confidence, one.has_expired) == ("Botnet", 70, True)


def test_trust_in_some_accounts_is_said_to_be_there():
    lists = (listed("bad.example.com"), listed("bad.example.com", "trusted", "good", HERE))
    said = review(store_of(*lists), "bad.example.com", NOW)
    assert said.verdict.endswith("and trusted in some accounts: what other lists say does not count there")
    assert [one.list_name for one in said.named] == ["good", "bad"]
    assert said.named[0].scope == (("111122223333", "eu-west-1"),)


def test_a_name_in_another_script_is_looked_up_in_punycode():
    said = review(store_of(listed("xn--bcher-kva.example")), "Bücher.example", NOW)
    assert (said.value, len(said.named)) == ("xn--bcher-kva.example", 1)


def test_an_ipv6_address_is_looked_up():
    assert len(review(store_of(listed("2606:4700::/32")), "2606:4700::1111", NOW).named) == 1


@given(st.ip_addresses(v=4, network="9.9.8.0/22"), st.lists(st.ip_addresses(v=4, network="9.9.8.0/22"), max_size=5))
def test_an_address_is_named_by_the_lists_that_rows_would_match(asked, values):
    store = store_of(*(listed(f"{value}/28", name=f"list-{number}") for number, value in enumerate(values)))
    masks = store.ip_categories(pl.Series([int(asked)], dtype=pl.UInt32))
    is_matched = pl.DataFrame({"mask": masks}).select(has("mask", "c2")).item()
    assert bool(review(store, str(asked), NOW).named) == is_matched


@pytest.mark.parametrize(
    "value", ["", " ", "one", "a b.example", "9.9.9.9/33", "9.9.9.9-::1", "9.9.9.9-9.9.9.8", "http://bad.example.com/"]
)
def test_anything_else_is_refused(value):
    with pytest.raises(UsageError, match="is no address, network, range or domain"):
        review(store_of(), value, NOW)


@pytest.mark.parametrize("value", ["10.1.2.3", "10.0.0.0/8", "fe80::1", "169.254.169.254"])
def test_what_is_not_public_is_said_to_be_on_no_list_that_counts(value):
    said = review(store_of(listed("0.0.0.0/0"), listed("::/0", name="bad6")), value, NOW)
    assert (said.verdict, said.named) == (f"{value} is not public: no list counts there", ())
