"""A million indicators that nobody listed: what threat lists cost is measured with them."""

from __future__ import annotations

import numpy as np
import polars as pl

from guardray.intel.categories import CATEGORIES
from guardray.intel.entries import Entries, ThreatList
from guardray.intel.store import IndicatorStore

SEED = 2
ADDRESSES, NETWORKS, ADDRESSES_V6, DOMAINS = 700_000, 50_000, 50_000, 200_000
PREFIXES = (22, 29)
"""Lengths of the networks' prefixes, the last one left out: what lists of hosting and VPN networks mostly hold."""

PUBLIC = (0x0B000000, 0xDF000000)
"""IPv4 numbers to draw from; what is not public among them is left out as in any list."""

GLOBAL_V6 = 0x2000_0000_0000_0000
"""2000::/3, the upper 64 bits."""


def million_indicators() -> IndicatorStore:
    """Addresses, networks, IPv6 addresses and domains at random, one list a category."""
    rng = np.random.default_rng(SEED)
    categories = [category for category in CATEGORIES if category not in ("custom", "trusted")]
    v4, v6, domains = _v4(rng), _v6(rng), _domains(rng)
    lists = []
    for index, category in enumerate(categories):
        share = [frame.gather_every(len(categories), index) for frame in (v4, v6, domains)]
        entries = Entries.of(v4=share[0], v6=share[1], domains=share[2])
        lists.append((ThreatList(f"random-{category}", category, None, len(entries), 0), entries))
    return IndicatorStore(lists)


def _v4(rng: np.random.Generator) -> pl.DataFrame:
    single = rng.integers(*PUBLIC, ADDRESSES, dtype=np.uint32)
    size = np.uint32(1) << (32 - rng.integers(*PREFIXES, NETWORKS)).astype(np.uint32)
    network = rng.integers(*PUBLIC, NETWORKS, dtype=np.uint32) // size * size
    first = np.concatenate([single, network])
    return pl.DataFrame({"first": first, "last": np.concatenate([single, network + size - np.uint32(1)])})


def _v6(rng: np.random.Generator) -> pl.DataFrame:
    high = GLOBAL_V6 + rng.integers(0, 2**61, ADDRESSES_V6, dtype=np.uint64)
    low = rng.integers(0, 2**64, ADDRESSES_V6, dtype=np.uint64)
    return pl.DataFrame({"first_hi": high, "first_lo": low, "last_hi": high, "last_lo": low})


def _domains(rng: np.random.Generator) -> pl.DataFrame:
    labels = rng.integers(2**24, 2**40, DOMAINS)
    ends = np.array(["com", "net", "org", "info", "top", "xyz"])[rng.integers(0, 6, DOMAINS)]
    return pl.DataFrame({"name": [f"{label:x}.{end}" for label, end in zip(labels, ends, strict=True)]})
