"""Look-ups in threat lists agree with a walk over all entries."""

from __future__ import annotations

import pickle
from functools import reduce
from ipaddress import IPv4Address, IPv4Network

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.intel.categories import CATEGORIES, bit, has
from guardray.intel.store import Indicator, IndicatorStore
from guardray.schema.addresses import is_public_number

CATEGORY = st.sampled_from(CATEGORIES)
# Few distinct starts, so that networks nest, touch and overlap, also across reserved space.
STARTS = st.sampled_from(["8.8.8.0", "8.8.9.0", "9.255.255.0", "10.0.0.0", "11.0.0.0", "172.32.0.0", "223.255.255.0"])
NETWORKS = st.builds(
    lambda start, offset, prefix: str(IPv4Network((int(IPv4Address(start)) + offset, prefix), strict=False)),
    STARTS,
    st.integers(0, 255),
    st.integers(0, 32),
)
PUBLIC_NETWORKS = NETWORKS.filter(lambda text: any(is_public_number(int(end)) for end in _ends(text)))
LABEL = st.sampled_from(["a", "b", "example", "x-1", "_dmarc"])
NAMES = st.lists(LABEL, min_size=1, max_size=5).map(lambda labels: ".".join([*labels, "test"]))


def _ends(text: str) -> tuple[IPv4Address, IPv4Address]:
    return IPv4Network(text)[0], IPv4Network(text)[-1]


def _or(categories) -> int:
    return reduce(int.__or__, map(bit, categories), 0)


@given(st.dictionaries(PUBLIC_NETWORKS, CATEGORY, max_size=8), st.data())
def test_categories_of_addresses_are_those_of_all_networks_around_them(listed, data):
    store = IndicatorStore.of(listed)
    edges = [int(end) + step for text in listed for end in _ends(text) for step in (-1, 0, 1)]
    near = st.sampled_from([edge for edge in edges if 0 <= edge < 2**32] or [0])
    numbers = data.draw(st.lists(near | st.integers(0, 2**32 - 1), min_size=1))

    masks = store.ip_categories(pl.Series(numbers, dtype=pl.UInt32)).to_list()

    for number, mask in zip(numbers, masks, strict=True):
        around = {text for text in listed if IPv4Address(number) in IPv4Network(text) and is_public_number(number)}
        assert mask == _or(listed[text] for text in around)
        named = {one.value if "/" in one.value else f"{one.value}/32" for one in store.ip_indicators(number)}
        assert named == around


@given(st.dictionaries(NAMES, CATEGORY, max_size=8), st.lists(NAMES | st.none(), min_size=1))
def test_categories_of_names_are_those_of_all_domains_above_them(listed, names):
    store = IndicatorStore.of(listed)

    masks = store.domain_categories(pl.Series(names, dtype=pl.String)).to_list()

    for name, mask in zip(names, masks, strict=True):
        above = {domain for domain in listed if name is not None and f".{name}".endswith(f".{domain}")}
        assert mask == _or(listed[domain] for domain in above)
        assert {one.value for one in store.domain_indicators(name or "")} == above


def test_names_may_be_categorical():
    names = pl.Series(["www.bad.test", "good.test", None], dtype=pl.Categorical)
    masks = IndicatorStore.of({"bad.test": "c2"}).domain_categories(names)
    assert masks.to_list() == [bit("c2"), 0, 0]


@pytest.mark.parametrize("reserved", ["10.1.2.3", "192.168.0.0/16", "169.254.169.254", "224.0.0.1"])
def test_addresses_that_are_not_public_never_count(reserved):
    store = IndicatorStore.of({reserved: "c2", "0.0.0.0/0": "malicious"})
    number = int(IPv4Network(reserved)[0])
    assert store.ip_categories(pl.Series([number], dtype=pl.UInt32)).to_list() == [0]
    assert store.ip_indicators(number) == ()


def test_a_value_on_several_lists_has_an_entry_for_each():
    store = IndicatorStore.of({"203.0.113.7": "c2", "203.0.113.0/24": "malicious", "bad.test": "c2"}, list_name="lab")
    assert store.ip_indicators("203.0.113.7") == (
        Indicator("203.0.113.7", "c2", "lab"),
        Indicator("203.0.113.0/24", "malicious", "lab"),
    )
    assert store.matches((None, "203.0.113.7", "www.bad.test"), "c2") == (
        Indicator("203.0.113.7", "c2", "lab"),
        Indicator("bad.test", "c2", "lab"),
    )


def test_an_empty_store_matches_nothing():
    store = IndicatorStore()
    assert not store.has_addresses
    assert not store.has_domains
    assert store.ip_categories(pl.Series([134744072, None], dtype=pl.UInt32)).to_list() == [0, 0]
    assert store.domain_categories(pl.Series(["a.test"])).to_list() == [0]
    assert store.matches((134744072, "a.test"), "c2") == ()


def test_has_reads_one_category_of_a_mask():
    frame = pl.DataFrame({"m": [bit("c2") | bit("custom"), bit("crypto"), None]}, schema={"m": pl.UInt64})
    assert frame.select(has("m", "custom")).to_series().to_list() == [True, False, None]


def test_a_store_survives_being_sent_to_another_process():
    store = pickle.loads(pickle.dumps(IndicatorStore.of({"203.0.113.7": "c2"})))
    assert store.ip_indicators("203.0.113.7") == (Indicator("203.0.113.7", "c2", "example"),)


def test_a_digest_tells_entries_of_its_category_apart_and_nothing_else():
    one = IndicatorStore.of({"198.51.100.7": "c2", "bad.test": "c2"})
    same = IndicatorStore.of({"bad.test": "c2", "198.51.100.7": "c2", "other.test": "dga"}, list_name="another")
    more = IndicatorStore.of({"198.51.100.7": "c2", "bad.test": "c2", "worse.test": "c2"})
    assert one.digest("c2") == same.digest("c2") != more.digest("c2")
    assert one.digest("dga") != same.digest("dga")
