"""Look-ups among the entries that are for one circle of accounts: addresses of both kinds, and domains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from guardray.intel.categories import TRUSTED
from guardray.intel.domains import BELOW, EXACT, DomainIndex
from guardray.intel.ranges import Addresses, RangeTree, blocks_of
from guardray.schema.addresses import NOT_PUBLIC, ipv4_numbers
from guardray.schema.ipv6 import NOT_PUBLIC_V6, IPv6s, from_words, ipv6_addresses, mapped_ipv4s

UInt32s = npt.NDArray[np.uint32]
UInt64s = npt.NDArray[np.uint64]

_RESERVED = (
    np.array([int(network[0]) for network in NOT_PUBLIC], np.uint32),
    np.array([int(network[-1]) for network in NOT_PUBLIC], np.uint32),
)
_RESERVED_V6 = (
    np.array([network[0].packed for network in NOT_PUBLIC_V6], "S16"),
    np.array([network[-1].packed for network in NOT_PUBLIC_V6], "S16"),
)


@dataclass(frozen=True, eq=False)
class Index:
    """Entries by what they name.

    Attributes:
        blocks: `blocks_of(v4)`, or empty where that is not worth its 2 MB.
    """

    v4: RangeTree
    v6: RangeTree
    domains: DomainIndex
    blocks: npt.NDArray[np.uint8]

    @classmethod
    def build(cls, v4: pl.DataFrame, v6: pl.DataFrame, domains: pl.DataFrame, *, with_blocks: bool) -> Index:
        """From frames as `stacked` gives them, with the number of each row in `entry` (UInt32)."""
        ranges = v4["first"].to_numpy(), v4["last"].to_numpy()
        tree = RangeTree.build(ranges, *_columns(v4), _RESERVED)
        tree_v6 = RangeTree.build(v6_ranges(v6), *_columns(v6), _RESERVED_V6)
        blocks = blocks_of(tree) if with_blocks and len(tree.nodes) else np.zeros(0, np.uint8)
        return cls(tree, tree_v6, DomainIndex.build(domains.select(_name(), "mask", "entry", _reach())), blocks)

    def ip_masks(self, numbers: UInt32s) -> UInt64s:
        """uint64 [n]: the categories of IPv4 numbers."""
        found = np.zeros(len(numbers), np.uint64)
        if not len(self.v4.nodes):
            return found
        if not len(self.blocks):
            return self.v4.masks_of(numbers)
        from guardray.intel import kernels

        numbers = np.ascontiguousarray(numbers)
        near = np.empty(len(numbers), np.int64)
        near = near[: kernels.near(numbers, self.blocks, near)]
        found[near] = self.v4.masks_of(numbers[near])
        return found

    def ipv6_masks(self, addresses: IPv6s) -> UInt64s:
        """uint64 [n]: the categories of IPv6 addresses, of IPv4-mapped ones as IPv4 addresses."""
        found = self.v6.masks_of(addresses)
        numbers, places = mapped_ipv4s(addresses)
        found[places] = self.ip_masks(numbers)
        return found

    def text_masks(self, texts: pl.Series) -> UInt64s:
        """uint64 [n]: the categories of IPv4 and IPv6 addresses in text; anything else has none."""
        distinct = texts.cast(pl.String).unique().drop_nulls().alias("text")
        numbers = distinct.to_frame().select(ipv4_numbers(pl.col("text")).fill_null(0)).to_series()
        masks = self.ip_masks(numbers.to_numpy())
        addresses, places = ipv6_addresses(distinct)
        masks[places] = self.ipv6_masks(addresses)
        listed = np.flatnonzero(masks)
        if not len(listed):
            return np.zeros(len(texts), np.uint64)
        column = texts.cast(pl.String).replace_strict(
            distinct.gather(listed), pl.Series(masks[listed]), default=0, return_dtype=pl.UInt64
        )
        return column.to_numpy().copy()


def v6_ranges(v6: pl.DataFrame) -> tuple[Addresses, Addresses]:
    """First and last addresses of a frame of IPv6 ranges: S16 [n] each."""
    first, last = (from_words(v6[f"{end}_hi"].to_numpy(), v6[f"{end}_lo"].to_numpy()) for end in ("first", "last"))
    return first, last


def _columns(frame: pl.DataFrame) -> tuple[UInt64s, UInt32s]:
    return frame["mask"].to_numpy(), frame["entry"].to_numpy()


def _name() -> pl.Expr:
    return pl.col("name").str.strip_prefix("*.")


def _reach() -> pl.Expr:
    """Threats are what a list names and all below it. Trust is only what is listed: a name, or what is below `*.`."""
    trusted = pl.col("mask") == TRUSTED
    below = pl.col("name").str.starts_with("*.")
    only = pl.when(below).then(BELOW).otherwise(EXACT)
    return pl.when(trusted).then(only).otherwise(EXACT | BELOW).cast(pl.UInt8).alias("reach")
