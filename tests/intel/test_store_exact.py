"""A million look-ups in a large store agree with the plainest reading of its entries, borders included."""

from __future__ import annotations

from collections import defaultdict
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import numpy as np
import polars as pl
import pytest
from intel.listed import domain_mask, mask_of

from guardray.intel.categories import CATEGORIES, bit
from guardray.intel.entries import Entries, ThreatList
from guardray.intel.store import IndicatorStore
from guardray.schema.addresses import NOT_PUBLIC
from guardray.schema.ipv6 import NOT_PUBLIC_V6

CASES = 1_000_000
ENTRIES = 20_000
PLACES = (int(IPv4Address("8.0.0.0")), int(IPv4Address("12.0.0.0")))
"""Little room and reserved space in it, so that entries lie close, nest and overlap."""

FEW_WIDE = [0.0002, 0.005, 0.0948, 0.2, 0.2, 0.2, 0.3]
"""Chances of prefixes from wide to narrow: wide networks enough to nest in, and not so many that they blur the rest."""


class Walk:
    """Networks by their prefix: an address is in those that its own prefixes are."""

    def __init__(self, kind: type, reserved, networks: list, categories: list) -> None:
        self._kind, self._reserved = kind, reserved
        self._listed: dict[tuple[int, int], set] = defaultdict(set)
        for network, category in zip(networks, categories, strict=True):
            self._listed[network.prefixlen, int(network.network_address)].add(category)
        self._prefixes = sorted({prefix for prefix, _ in self._listed})

    def mask(self, number: int) -> int:
        if any(self._kind(number) in network for network in self._reserved):
            return 0
        bits = self._kind(0).max_prefixlen
        parts = ((prefix, number >> (bits - prefix) << (bits - prefix)) for prefix in self._prefixes)
        return mask_of(category for part in parts for category in self._listed.get(part, ()))


def networks_of(kind: type, numbers, prefixes) -> list:
    return [kind((int(number), int(prefix)), strict=False) for number, prefix in zip(numbers, prefixes, strict=True)]


def near_borders(rng: np.random.Generator, networks: list, count: int) -> list[int]:
    """The first and last addresses of networks, and those just outside."""
    chosen = rng.integers(0, len(networks), count)
    steps = rng.integers(-1, 2, count)
    ends = rng.choice([0, -1], count)
    return [int(networks[at][int(end)]) + int(step) for at, end, step in zip(chosen, ends, steps, strict=True)]


def categories_of(rng: np.random.Generator, networks: list) -> list[str]:
    """Any category, but trust for small networks only, since it would cover the rest."""
    chosen = rng.choice(CATEGORIES, len(networks)).tolist()
    is_small = [one.num_addresses <= 8 for one in networks]
    return [one if small or one != "trusted" else "custom" for one, small in zip(chosen, is_small, strict=True)]


def store_of(kind: str, frame: pl.DataFrame, categories: list) -> IndicatorStore:
    entries = Entries.of(**{kind: frame.with_columns(category=pl.Series(categories))})
    return IndicatorStore([(ThreatList("random", "custom", None, len(entries), 0), entries)])


@pytest.mark.slow
def test_a_million_ipv4_addresses_have_the_categories_of_their_networks():
    rng = np.random.default_rng(1)
    prefixes = rng.choice([10, 16, 22, 24, 29, 31, 32], ENTRIES, p=FEW_WIDE)
    networks = networks_of(IPv4Network, rng.integers(*PLACES, ENTRIES), prefixes)
    categories = categories_of(rng, networks)
    ends = {"first": [int(one[0]) for one in networks], "last": [int(one[-1]) for one in networks]}
    store = store_of("v4", pl.DataFrame(ends), categories)
    numbers = near_borders(rng, networks, CASES // 2) + rng.integers(*PLACES, CASES // 2).tolist()

    masks = store.ip_categories(pl.Series(numbers, dtype=pl.UInt32)).to_list()

    walk = Walk(IPv4Address, NOT_PUBLIC, networks, categories)
    wrong = [number for number, mask in zip(numbers, masks, strict=True) if mask != walk.mask(number)]
    assert wrong == []
    assert len(set(masks)) > 100
    assert masks.count(bit("trusted")) > 1000


@pytest.mark.slow
def test_ipv6_addresses_have_the_categories_of_their_networks():
    rng = np.random.default_rng(2)
    numbers = [(0x20010002 << 96) + (int(high) << 64) + int(low) for high, low in rng.integers(0, 2**10, (ENTRIES, 2))]
    networks = networks_of(IPv6Network, numbers, rng.choice([16, 48, 56, 64, 120, 127, 128], ENTRIES, p=FEW_WIDE))
    categories = categories_of(rng, networks)
    ends = {"first": [int(one[0]) for one in networks], "last": [int(one[-1]) for one in networks]}
    words = {
        f"{end}_{part}": pl.Series([number >> shift & 2**64 - 1 for number in numbers], dtype=pl.UInt64)
        for end, numbers in ends.items()
        for part, shift in (("hi", 64), ("lo", 0))
    }
    store = store_of("v6", pl.DataFrame(words), categories)
    asked = near_borders(rng, networks, CASES // 10)

    masks = store.text_categories(pl.Series([str(IPv6Address(number)) for number in asked])).to_list()

    walk = Walk(IPv6Address, NOT_PUBLIC_V6, networks, categories)
    assert [number for number, mask in zip(asked, masks, strict=True) if mask != walk.mask(number)] == []


@pytest.mark.slow
def test_a_million_names_have_the_categories_of_the_domains_above_them():
    rng = np.random.default_rng(3)
    labels = [f"l{number}" * (1 + number % 4) for number in range(60)]

    def names(count: int) -> list[str]:
        depths = rng.integers(1, 5, count)
        return [".".join([*(labels[at] for at in rng.integers(0, 60, depth)), "test"]) for depth in depths]

    listed = {
        ("*." if star else "") + name: str(category)
        for name, category, star in zip(
            names(ENTRIES), rng.choice(CATEGORIES, ENTRIES), rng.integers(0, 2, ENTRIES), strict=True
        )
    }
    store = store_of("domains", pl.DataFrame({"name": list(listed)}), list(listed.values()))
    asked = names(CASES)

    masks = store.domain_categories(pl.Series(asked)).to_list()

    def above(name: str) -> dict[str, str]:
        suffixes = [name.split(".", cut)[-1] for cut in range(name.count(".") + 1)]
        texts = [text for suffix in suffixes for text in (suffix, f"*.{suffix}") if text in listed]
        return {text: listed[text] for text in texts}

    wrong = [name for name, mask in zip(asked, masks, strict=True) if mask != domain_mask(name, above(name))]
    assert wrong == []
