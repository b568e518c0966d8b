"""Look-ups in lists agree with a walk over all entries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from indicators import store_of_files
from intel.listed import address_mask, domain_mask

from guardray.errors import UsageError
from guardray.intel.categories import CATEGORIES, bit, has
from guardray.intel.entries import Entries, ThreatList
from guardray.intel.store import Indicator, IndicatorStore
from guardray.intel.values import entries_of_value

CATEGORY = st.sampled_from(CATEGORIES)
# Few distinct starts, so that networks nest, touch and overlap, also across reserved space.
STARTS = st.sampled_from(["8.8.8.0", "8.8.9.0", "9.255.255.0", "10.0.0.0", "11.0.0.0", "172.32.0.0", "223.255.255.0"])
NETWORKS = st.builds(
    lambda start, offset, prefix: str(IPv4Network((int(IPv4Address(start)) + offset, prefix), strict=False)),
    STARTS,
    st.integers(0, 255),
    st.integers(0, 32),
)
RANGES = st.builds(
    lambda start, offset, length: f"{IPv4Address(start) + offset}-{IPv4Address(start) + offset + length}",
    STARTS,
    st.integers(0, 255),
    st.integers(0, 255),
)
STARTS_V6 = st.sampled_from(["2001:2::", "2001:db8::", "2001:db8::ffff:ffff:ffff:ffff", "1fff::", "3fff:ffff::"])
NETWORKS_V6 = st.builds(
    lambda start, offset, prefix: str(IPv6Network((int(IPv6Address(start)) + offset, prefix), strict=False)),
    STARTS_V6,
    st.integers(0, 255),
    st.integers(0, 128),
)
LABEL = st.sampled_from(["a", "b", "example", "x-1", "_dmarc"])
NAMES = st.lists(LABEL, min_size=1, max_size=5).map(lambda labels: ".".join([*labels, "test"]))
LISTED_NAMES = st.builds(str.__add__, st.sampled_from(["", "*."]), NAMES)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ADDRESS = int(IPv4Address("203.0.113.7"))


def around(text: str) -> list[int]:
    """The ends of a network or a range, and the addresses before and after them."""
    ends = text.split("-") if "-" in text else [str(ip_network(text)[0]), str(ip_network(text)[-1])]
    kind = IPv6Address if ":" in text else IPv4Address
    return [
        int(kind(end)) + step
        for end in ends
        for step in (-1, 0, 1)
        if 0 <= int(kind(end)) + step < 2 ** kind(0).max_prefixlen
    ]


def store_of(*lists: tuple[ThreatList, list[str]]) -> IndicatorStore:
    return IndicatorStore([(one, Entries.of(**_stacked(values))) for one, values in lists])


def _stacked(values: list[str]) -> dict[str, pl.DataFrame]:
    parsed = [entries_of_value(value) for value in values]
    return {kind: pl.concat([getattr(one, kind) for one in parsed]) for kind in ("v4", "v6", "domains")}


def a_list(category, name="lab", **more) -> ThreatList:
    return ThreatList(name, category, None, 1, 0, **more)


@given(st.dictionaries(NETWORKS | RANGES, CATEGORY, max_size=8), st.data())
def test_categories_of_addresses_are_those_of_all_networks_and_ranges_around_them(listed, data):
    store = IndicatorStore.of(listed)
    edges = st.sampled_from([edge for text in listed for edge in around(text)] or [0])
    numbers = data.draw(st.lists(edges | st.integers(0, 2**32 - 1), min_size=1))

    masks = store.ip_categories(pl.Series(numbers, dtype=pl.UInt32)).to_list()

    assert masks == [address_mask(number, listed) for number in numbers]
    assert store.text_categories(pl.Series([str(IPv4Address(number)) for number in numbers])).to_list() == masks
    for number, mask in zip(numbers, masks, strict=True):
        named = {bit(one.category) for one in store.ip_indicators(number)}
        assert (mask in named) if mask == bit("trusted") else (sum(named) == mask)


@given(st.dictionaries(NETWORKS_V6, CATEGORY, max_size=8), st.data())
def test_categories_of_ipv6_addresses_are_those_of_all_networks_around_them(listed, data):
    store = IndicatorStore.of(listed)
    edges = st.sampled_from([edge for text in listed for edge in around(text)] or [0])
    texts = data.draw(st.lists((edges | st.integers(0, 2**128 - 1)).map(lambda number: str(IPv6Address(number)))))

    masks = store.text_categories(pl.Series(texts, dtype=pl.String)).to_list()

    for text, mask in zip(texts, masks, strict=True):
        plain = IPv6Address(text).ipv4_mapped is None
        assert mask == (address_mask(text, listed) if plain else 0)
        named = {bit(one.category) for one in store.ip_indicators(text)}
        assert (mask in named) if mask == bit("trusted") else (sum(named) == mask)


@given(st.dictionaries(LISTED_NAMES, CATEGORY, max_size=8), st.lists(NAMES | st.none(), min_size=1))
def test_categories_of_names_are_those_of_all_domains_above_them(listed, names):
    store = IndicatorStore.of(listed)

    masks = store.domain_categories(pl.Series(names, dtype=pl.String)).to_list()

    assert masks == [domain_mask(name, listed) for name in names]
    for name, mask in zip(names, masks, strict=True):
        named = {bit(one.category) for one in store.domain_indicators(name or "")}
        assert (mask in named) if mask == bit("trusted") else (sum(named) == mask)


def test_names_may_be_categorical_in_capitals_and_with_a_final_dot():
    names = pl.Series(["www.bad.test", "WWW.Bad.Test.", "good.test", "notbad.test", None, ""], dtype=pl.Categorical)
    masks = IndicatorStore.of({"bad.test": "c2"}).domain_categories(names)
    assert masks.to_list() == [bit("c2"), bit("c2"), 0, 0, 0, 0]


def test_texts_that_are_no_address_have_no_category():
    store = IndicatorStore.of({"203.0.113.7": "c2", "2001:db8::/32": "dga"})
    texts = pl.Series(["203.0.113.7", "2001:DB8::7", "::ffff:203.0.113.7", "fe80::1%eth0", "a:b", "x", "", None])
    assert store.text_categories(texts).to_list() == [bit("c2"), bit("dga"), bit("c2"), 0, 0, 0, 0, 0]
    assert store.ip_indicators("::ffff:203.0.113.7") == store.ip_indicators("203.0.113.7")


@pytest.mark.parametrize("reserved", ["10.1.2.3", "192.168.0.0/16", "169.254.169.254", "224.0.0.1"])
def test_addresses_that_are_not_public_never_count(reserved):
    store = IndicatorStore.of({reserved: "c2", "0.0.0.0/0": "malicious"})
    number = int(IPv4Network(reserved)[0])
    assert store.ip_categories(pl.Series([number], dtype=pl.UInt32)).to_list() == [0]
    assert store.ip_indicators(number) == ()


@pytest.mark.parametrize("reserved", ["::1", "fe80::1", "fd00::1", "ff02::1", "::"])
def test_ipv6_addresses_that_are_not_public_never_count(reserved):
    store = IndicatorStore.of({reserved: "c2", "::/0": "malicious"})
    assert store.text_categories(pl.Series([reserved])).to_list() == [0]
    assert store.ip_indicators(reserved) == ()


def test_a_value_on_several_lists_has_an_entry_for_each():
    store = IndicatorStore.of({"203.0.113.7": "c2", "203.0.113.0/24": "malicious", "bad.test": "c2"}, list_name="lab")
    assert store.ip_indicators("203.0.113.7") == (
        Indicator("203.0.113.7", "c2", "lab"),
        Indicator("203.0.113.0/24", "malicious", "lab"),
    )
    assert store.matches((None, "203.0.113.7", "www.bad.test"), ("c2", "dga")) == (
        Indicator("203.0.113.7", "c2", "lab"),
        Indicator("bad.test", "c2", "lab"),
    )


def test_answers_match_as_their_addresses_do():
    store = IndicatorStore.of({"203.0.113.7": "sinkhole", "2001:db8::7": "sinkhole"})
    found = store.matches((["198.51.100.1", "203.0.113.7", "2001:db8::7"], None), ("sinkhole",))
    assert [one.value for one in found] == ["203.0.113.7", "2001:db8::7"]


def test_a_range_that_is_no_network_is_named_by_its_ends():
    store = IndicatorStore.of({"203.0.113.7-203.0.113.9": "c2", "2001:db8::-2001:db8::2": "c2"})
    assert [one.value for one in store.ip_indicators("203.0.113.8")] == ["203.0.113.7-203.0.113.9"]
    assert [one.value for one in store.ip_indicators("2001:db8::1")] == ["2001:db8::-2001:db8::2"]


def test_entries_that_share_an_address_with_a_network_are_found_whatever_their_scope():
    assert [one.list_name for one in SCOPED.range_indicators("203.0.113.6/31")] == ["all", "one", "two"]
    assert [one.list_name for one in SCOPED.range_indicators("203.0.113.8/29")] == ["all"]
    assert [one.list_name for one in SCOPED.range_indicators("2001:db8::/120")] == ["all", "two"]
    assert SCOPED.range_indicators("198.51.100.0/24") == SCOPED.range_indicators("bad.test") == ()


def test_a_store_is_its_own_current_one():
    assert SCOPED.current() is SCOPED


def test_a_trusted_address_wins_over_every_threat_list():
    store = IndicatorStore.of({"203.0.113.0/24": "trusted", "203.0.113.7": "c2", "0.0.0.0/0": "custom"})
    assert store.has_trusted
    assert store.ip_categories(pl.Series([ADDRESS], dtype=pl.UInt32)).to_list() == [bit("trusted")]
    assert store.matches((ADDRESS,), ("c2", "custom")) == ()
    assert [one.value for one in store.matches((ADDRESS,), ("c2", "trusted"))] == ["203.0.113.0/24"]
    assert len(store.ip_indicators(ADDRESS)) == 3


def test_a_trusted_domain_is_trusted_as_it_is_listed():
    store = IndicatorStore.of({"cdn.test": "trusted", "*.safe.test": "trusted", "test": "custom"})
    names = ["cdn.test", "a.cdn.test", "safe.test", "a.safe.test", "a.b.safe.test"]
    trusted = [mask == bit("trusted") for mask in store.domain_categories(pl.Series(names))]
    assert trusted == [True, False, False, True, True]
    assert [one.value for one in store.matches(("a.safe.test",), ("trusted", "custom"))] == ["*.safe.test"]
    assert [one.value for one in store.matches(("a.cdn.test",), ("trusted", "custom"))] == ["test"]


SCOPED = store_of(
    (a_list("malicious", "all"), ["203.0.113.0/24", "bad.test", "2001:db8::/32"]),
    (a_list("custom", "one", scope=frozenset({("111111111111", "eu-west-1")})), ["203.0.113.7", "bad.test"]),
    (
        a_list("trusted", "two", scope=frozenset({("222222222222", "eu-west-1"), ("333333333333", "eu-west-1")})),
        ["203.0.113.7", "bad.test", "2001:db8::7"],
    ),
)
ROWS = pl.DataFrame(
    {
        "account": ["111111111111", "111111111111", "222222222222", "333333333333", None],
        "region": ["eu-west-1", "us-east-1", "eu-west-1", "eu-west-1", None],
    }
)
THREAT, BOTH, SAFE = bit("malicious"), bit("malicious") | bit("custom"), bit("trusted")


def test_lists_with_a_scope_count_for_rows_of_their_accounts_and_regions_only():
    expected = [BOTH, THREAT, SAFE, SAFE, THREAT]
    numbers = pl.Series([ADDRESS] * 5, dtype=pl.UInt32)
    assert SCOPED.ip_categories(numbers, ROWS["account"], ROWS["region"]).to_list() == expected
    assert SCOPED.ip_categories(numbers).to_list() == [THREAT] * 5
    names = pl.Series(["bad.test"] * 5)
    assert SCOPED.domain_categories(names, ROWS["account"], ROWS["region"]).to_list() == expected
    texts = pl.Series(["2001:db8::7"] * 5)
    assert SCOPED.text_categories(texts, ROWS["account"], ROWS["region"]).to_list() == [
        THREAT,
        THREAT,
        SAFE,
        SAFE,
        THREAT,
    ]


def test_entries_are_named_by_the_lists_of_the_event_s_account_and_region():
    def names(account: str, *categories) -> list[str]:
        found = SCOPED.matches((ADDRESS,), categories, account_id=account, region="eu-west-1")
        return [one.list_name for one in found]

    assert names("111111111111", "malicious", "custom", "trusted") == ["all", "one"]
    assert names("222222222222", "malicious", "custom") == []
    assert names("222222222222", "trusted") == ["two"]
    assert names("444444444444", "malicious", "custom") == ["all"]


def test_entries_that_had_expired_when_the_event_happened_are_left_out():
    rows = {"first": [ADDRESS] * 2, "last": [ADDRESS] * 2, "expires": [NOW, None], "threat_name": ["old", "lasting"]}
    entries = Entries.of(v4=pl.DataFrame(rows))
    store = IndicatorStore([(a_list("c2"), entries)])

    def threats(time: datetime | None) -> list[str | None]:
        return [one.threat_name for one in store.matches((ADDRESS,), ("c2",), time=time)]

    assert threats(NOW - timedelta(seconds=1)) == threats(None) == ["old", "lasting"]
    assert threats(NOW) == ["lasting"]


def test_what_an_entry_does_not_say_its_list_does():
    rows = {
        "name": ["own.test", "plain.test"],
        "threat_name": ["Cobalt", None],
        "confidence": [100, None],
        "category": ["dga", None],
        "expires": [NOW, None],
    }
    listed = ThreatList("feed", "c2", "Emotet", 2, 0, confidence=50)
    store = IndicatorStore([(listed, Entries.of(domains=pl.DataFrame(rows)))])
    assert store.domain_indicators("own.test") == (Indicator("own.test", "dga", "feed", "Cobalt", 100, NOW),)
    assert store.domain_indicators("a.plain.test") == (Indicator("plain.test", "c2", "feed", "Emotet", 50),)
    assert store.domain_categories(pl.Series(["own.test", "plain.test"])).to_list() == [bit("dga"), bit("c2")]


def test_lists_are_loaded_from_files_as_threats_and_as_trusted(tmp_path):
    (tmp_path / "bad.txt").write_text("203.0.113.0/24\nbad.test\n")
    (tmp_path / "good.txt").write_text("203.0.113.7\n")
    store = store_of_files(None, [tmp_path / "bad.txt"], [tmp_path / "good.txt"])
    assert [(one.name, one.category, one.entries) for one in store.lists] == [
        ("bad", "custom", 2),
        ("good", "trusted", 1),
    ]
    numbers = pl.Series([ADDRESS, ADDRESS + 1], dtype=pl.UInt32)
    assert store.ip_categories(numbers).to_list() == [bit("trusted"), bit("custom")]


def test_an_entry_of_an_unknown_category_is_refused_with_its_list():
    entries = Entries.of(domains=pl.DataFrame({"name": ["a.test"], "category": ["nonsense"]}))
    with pytest.raises(UsageError, match="list 'lab': there is no category 'nonsense'"):
        IndicatorStore([(a_list("c2"), entries)])


def test_a_value_that_is_nothing_is_refused():
    with pytest.raises(ValueError, match="no address, network, range or domain"):
        IndicatorStore.of({"not a value": "c2"})


def test_an_empty_store_matches_nothing():
    store = IndicatorStore()
    assert not store.has_addresses
    assert not store.has_domains
    assert not store.has_trusted
    assert store.ip_categories(pl.Series([134744072, None], dtype=pl.UInt32)).to_list() == [0, 0]
    assert store.text_categories(pl.Series(["8.8.8.8", "2001:db8::1"])).to_list() == [0, 0]
    assert store.domain_categories(pl.Series(["a.test"])).to_list() == [0]
    assert store.matches((134744072, "a.test", "::1"), ("c2",)) == ()


def test_has_reads_any_of_the_categories_of_a_mask():
    frame = pl.DataFrame({"m": [bit("c2") | bit("custom"), bit("crypto"), None]}, schema={"m": pl.UInt64})
    assert frame.select(has("m", "custom")).to_series().to_list() == [True, False, None]
    assert frame.select(has("m", "custom", "crypto")).to_series().to_list() == [True, True, None]


def test_a_store_says_what_kinds_and_categories_it_holds():
    store = IndicatorStore.of({"203.0.113.7": "c2", "2001:db8::7": "dga", "a.test": "crypto"})
    assert store.holds("address", ("dga",))
    assert store.holds("domain", ("c2", "crypto"))
    assert not store.holds("domain", ("c2", "dga"))


def test_a_digest_tells_entries_of_its_category_apart_and_nothing_else():
    one = IndicatorStore.of({"198.51.100.7": "c2", "bad.test": "c2"})
    same = IndicatorStore.of({"bad.test": "c2", "198.51.100.7": "c2", "other.test": "dga"}, list_name="another")
    more = IndicatorStore.of({"198.51.100.7": "c2", "bad.test": "c2", "worse.test": "c2"})
    assert one.digest("c2") == same.digest("c2") != more.digest("c2")
    assert one.digest("dga") != same.digest("dga")


def test_a_digest_changes_with_what_is_trusted():
    """A trusted address hides rows from every finding type."""
    one = IndicatorStore.of({"198.51.100.7": "c2"})
    assert one.digest("c2") != IndicatorStore.of({"198.51.100.7": "c2", "198.51.100.0/24": "trusted"}).digest("c2")


def test_a_version_is_that_of_the_content():
    one, same = (IndicatorStore.of({"198.51.100.7": "c2"}) for _ in range(2))
    assert one.version == same.version
    assert one.version != IndicatorStore.of({"198.51.100.7": "c2"}, list_name="another").version
    assert one.version != IndicatorStore.of({"198.51.100.8": "c2"}).version
