"""Threat indicators: what lists say of addresses and domains, for whole columns and for one value."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

import polars as pl

from guardray.intel.categories import CATEGORIES, Category, bit, has
from guardray.intel.domains import DomainIndex, suffixes
from guardray.intel.feeds import Entries, Feed, parse_list, read_feeds, read_list
from guardray.intel.ranges import RangeIndex
from guardray.schema.addresses import ipv4_number, ipv4_text, is_public_number

__all__ = ["CATEGORIES", "Category", "Indicator", "IndicatorStore", "ThreatList", "has"]


@dataclass(frozen=True)
class Indicator:
    """An entry of a threat list. `value` is an address, a network or a domain, as the list has it."""

    value: str
    category: Category
    list_name: str
    threat_name: str | None = None


@dataclass(frozen=True)
class ThreatList:
    """A list that was loaded: `skipped` counts the lines of it that could not be used."""

    name: str
    category: Category
    threat_name: str | None
    entries: int
    skipped: int


class IndicatorStore:
    """All entries of all threat lists; never changes once built.

    Addresses that are not public match nothing, whatever the lists say.
    """

    def __init__(self, lists: Sequence[tuple[ThreatList, Entries]] = ()) -> None:
        self.lists: tuple[ThreatList, ...] = tuple(threat_list for threat_list, _ in lists)
        self._addresses = _stacked([entries.addresses for _, entries in lists], {"first": pl.UInt32, "last": pl.UInt32})
        domains = [entries.domains.alias("domain").to_frame() for _, entries in lists]
        self._domains = _stacked(domains, {"domain": pl.String}).sort("domain")
        masks = pl.DataFrame({"mask": [bit(one.category) for one in self.lists]}, {"mask": pl.UInt64}).with_row_index(
            "list"
        )
        by_address = self._addresses.join(masks, on="list", maintain_order="left")
        self._ranges = RangeIndex.build(*(by_address[name].to_numpy() for name in ("first", "last", "mask")))
        self._names = DomainIndex.build(self._domains.join(masks, on="list").select("domain", "mask"))

    @classmethod
    def load(cls, feeds_file: Path | None, threat_lists: Sequence[Path] = ()) -> IndicatorStore:
        """The feeds that a feeds file declares, and custom lists in plain text.

        Raises:
            UsageError: a file cannot be read, is malformed or holds nothing usable; a feed is not a local file.
        """
        feeds = read_feeds(feeds_file) if feeds_file else ()
        lists = [_from_feed(feed, read_list(feed.path(feeds_file), feed.kind)) for feed in feeds if feeds_file]
        return cls([*lists, *(_custom(path, read_list(path, "any")) for path in threat_lists)])

    @classmethod
    def of(cls, indicators: Mapping[str, Category], list_name: str = "example") -> IndicatorStore:
        """A store of a few values, each with its category."""
        parsed = ((category, parse_list(pl.Series([value]), "any")) for value, category in indicators.items())
        return cls([_listed(list_name, category, None, entries) for category, entries in parsed])

    @property
    def has_addresses(self) -> bool:
        """Whether any address is listed."""
        return not self._addresses.is_empty()

    @property
    def has_domains(self) -> bool:
        """Whether any domain is listed."""
        return not self._domains.is_empty()

    def digest(self, category: Category) -> str:
        """What lists of the category hold, in 32 hex digits: the same for the same entries, whatever list has them."""
        of_category = [index for index, one in enumerate(self.lists) if one.category == category]
        entries = hashlib.blake2b(digest_size=16)
        for frame in (self._addresses, self._domains):
            values = frame.filter(pl.col("list").is_in(of_category)).drop("list").unique()
            entries.update(values.sort(values.columns).write_csv().encode())
        return entries.hexdigest()

    def ip_categories(self, addresses: pl.Series) -> pl.Series:
        """UInt64 [n]: bit masks of the categories of UInt32 addresses; null has none."""
        return pl.Series(addresses.name, self._ranges.masks_of(addresses.fill_null(0).to_numpy()))

    def domain_categories(self, names: pl.Series) -> pl.Series:
        """UInt64 [n]: bit masks of the categories of lower-case names; null has none."""
        return self._names.masks_of(names).alias(names.name)

    def matches(self, values: Sequence[str | int | None], category: Category) -> tuple[Indicator, ...]:
        """The entries of the category that name any of the values: IPv4 numbers, IPv4 text or lower-case domains."""
        found = [one for value in values for one in self._indicators(value) if one.category == category]
        return tuple(dict.fromkeys(found))

    def ip_indicators(self, address: str | int) -> tuple[Indicator, ...]:
        """The entries that name an IPv4 address, in the order of the lists."""
        number = ipv4_number(address) if isinstance(address, str) else address
        if number is None or not is_public_number(number):
            return ()
        hits = self._addresses.filter((pl.col("first") <= number) & (pl.col("last") >= number))
        return tuple(self._indicator(_network_text(first, last), index) for index, first, last in hits.rows())

    def domain_indicators(self, name: str) -> tuple[Indicator, ...]:
        """The entries that name a lower-case domain or a parent of it, longest first."""
        domains = self._domains["domain"]
        found = []
        for suffix in suffixes(name):
            start, end = domains.search_sorted(suffix, "left"), domains.search_sorted(suffix, "right")
            found += [self._indicator(suffix, index) for index in self._domains["list"][start:end].sort()]
        return tuple(found)

    def _indicators(self, value: str | int | None) -> tuple[Indicator, ...]:
        if value is None:
            return ()
        return self.ip_indicators(value) or (self.domain_indicators(value) if isinstance(value, str) else ())

    def _indicator(self, value: str, index: int) -> Indicator:
        threat_list = self.lists[index]
        return Indicator(value, threat_list.category, threat_list.name, threat_list.threat_name)


def _stacked(parts: Sequence[pl.DataFrame], columns: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    """The parts under each other, with the number of its part in the column `list`, first."""
    numbered = [part.select(pl.lit(index, pl.UInt32).alias("list"), pl.all()) for index, part in enumerate(parts)]
    empty = pl.DataFrame(schema={"list": pl.UInt32, **columns})
    return pl.concat([empty, *numbered]).rechunk()


def _from_feed(feed: Feed, entries: Entries) -> tuple[ThreatList, Entries]:
    return _listed(feed.name, feed.category, feed.threat_name, entries)


def _custom(path: Path, entries: Entries) -> tuple[ThreatList, Entries]:
    return _listed(path.stem, "custom", None, entries)


def _listed(name: str, category: Category, threat_name: str | None, entries: Entries) -> tuple[ThreatList, Entries]:
    count = len(entries.addresses) + len(entries.domains)
    return ThreatList(name, category, threat_name, count, entries.skipped), entries


def _network_text(first: int, last: int) -> str:
    if first == last:
        return ipv4_text(first)
    return str(IPv4Network((first, 32 - (last - first).bit_length())))
