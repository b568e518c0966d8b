"""Threat indicators: what lists say of addresses and domains, for whole columns and for one value."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from guardray.errors import UsageError
from guardray.intel import arrays
from guardray.intel.categories import CATEGORIES, TRUSTED, Category, bit, has, trusted_wins
from guardray.intel.content import Content, ValueKind
from guardray.intel.entries import Entries, ThreatList
from guardray.intel.index import Index
from guardray.intel.indicators import Indicator, naming_address, naming_domain, overlapping, too_wide
from guardray.intel.values import address_key, entries_of_value
from guardray.types import AccountId, Region

__all__ = ["CATEGORIES", "Category", "Indicator", "IndicatorStore", "ThreatList", "has"]

_FILE = "indicators.arrow"

Value = str | int | Sequence[str] | None
"""What a column may hold to look up: an address as a number or text, a domain, or the answers to a query."""


class IndicatorStore:
    """All entries of all lists; never changes once built.

    Addresses that are not public match nothing, whatever the lists say. What is trusted is nothing else: its mask has
    the trusted bit alone. Lists with a scope count for rows of their accounts and Regions only.
    """

    def __init__(self, lists: Sequence[tuple[ThreatList, Entries]] = ()) -> None:
        self._content = Content.build(lists)

    @classmethod
    def of(cls, indicators: Mapping[str, Category], list_name: str = "example") -> Self:
        """A store of a few values, each with its category.

        Raises:
            ValueError: a value is not an address, a network or a domain.
        """
        parsed = ((category, entries_of_value(value)) for value, category in indicators.items())
        return cls([(ThreatList(list_name, category, None, 1, 0), entries) for category, entries in parsed])

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The store that was saved to a folder, mapped into memory: nothing is read before it is used.

        Raises:
            UsageError: there is none, or another version of guardray wrote it.
        """
        file = folder / _FILE
        try:
            held, about = arrays.read(file)
            content = Content.of_arrays(held, about)
        except (OSError, KeyError, ValueError, msgspec.MsgspecError) as error:
            raise UsageError(f"{file}: not an indicator store of this version of guardray: {error}") from error
        store = cls.__new__(cls)
        store._content = content
        return store

    def save(self, folder: Path) -> None:
        """Write the store to a folder, which is made where it is missing.

        Raises:
            OSError: it cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        arrays.write(folder / _FILE, self._content.arrays(), msgspec.json.encode(self._content.about))

    def current(self) -> Self:
        """The store to use now: itself, since it never changes."""
        return self

    def name(self) -> str:
        """What `find` knows it by."""
        return self.version

    def find(self, name: str) -> Self | None:
        """Itself, where that is its name."""
        return self if name == self.version else None

    def keep(self, names: Iterable[str]) -> None:
        """Nothing: it is in memory for as long as anybody has it."""

    @property
    def version(self) -> str:
        """What the store holds, in 32 hex digits."""
        return self._content.about.version

    @property
    def lists(self) -> tuple[ThreatList, ...]:
        """All lists, in the order in which their entries are given."""
        return self._content.about.lists

    @property
    def has_addresses(self) -> bool:
        """Whether any address is listed."""
        return self._content.about.held["address"] != 0

    @property
    def has_domains(self) -> bool:
        """Whether any domain is listed."""
        return self._content.about.held["domain"] != 0

    @property
    def has_trusted(self) -> bool:
        """Whether anything is trusted."""
        return any(held & TRUSTED for held in self._content.about.held.values())

    def widest(self) -> dict[str, str]:
        """For each list with a range of more addresses than a network has by a prefix of 8 (IPv6: 16) bits: the first.

        No honest list has one; as trusted, it would hide a large part of the internet.
        """
        return too_wide(self._content)

    def holds(self, kind: ValueKind, categories: Iterable[Category]) -> bool:
        """Whether any address, or any domain, is listed in any of the categories."""
        return any(self._content.about.held[kind] & bit(category) for category in categories)

    def digest(self, category: Category) -> str:
        """What decides which rows match the category, in 32 hex digits: the same whatever lists have the entries."""
        return self._content.about.digests[category]

    def ip_categories(
        self, addresses: pl.Series, accounts: pl.Series | None = None, regions: pl.Series | None = None
    ) -> pl.Series:
        """UInt64 [n]: bit masks of the categories of UInt32 addresses; null has none.

        Args:
            addresses: IPv4 numbers.
            accounts, regions: whose rows these are. Without them, lists with a scope do not count.
        """
        return self._masks(_number_masks, addresses, accounts, regions)

    def text_categories(
        self, texts: pl.Series, accounts: pl.Series | None = None, regions: pl.Series | None = None
    ) -> pl.Series:
        """`ip_categories` for IPv4 and IPv6 addresses in text; anything else has none. Distinct ones are read once."""
        return self._masks(Index.text_masks, texts, accounts, regions)

    def domain_categories(
        self, names: pl.Series, accounts: pl.Series | None = None, regions: pl.Series | None = None
    ) -> pl.Series:
        """`ip_categories` for domain names. Case and a final dot do not matter."""
        return self._masks(_domain_masks, names, accounts, regions)

    def matches(
        self,
        values: Sequence[Value],
        categories: Category | Collection[Category],
        *,
        account_id: AccountId | None = None,
        region: Region | None = None,
        time: datetime | None = None,
    ) -> tuple[Indicator, ...]:
        """The entries of the categories that name any of the values, for an event of this account and Region.

        What is trusted there has no other entries. Entries that had expired by the time are left out.
        """
        asked = {categories} if isinstance(categories, str) else set(categories)
        found = []
        for value in _flat(values):
            indicators = self._indicators(value, account_id, region)
            trusted = any(one.category == "trusted" for one in indicators)
            wanted = asked & {"trusted"} if trusted else asked
            found += [one for one in indicators if one.category in wanted and not one.has_expired(time)]
        return tuple(dict.fromkeys(found))

    def ip_indicators(
        self, address: str | int, *, account_id: AccountId | None = None, region: Region | None = None
    ) -> tuple[Indicator, ...]:
        """The entries that name an IPv4 or IPv6 address, in the order of the lists."""
        return naming_address(self._content, self._indexes(account_id, region), address)

    def range_indicators(self, text: str) -> tuple[Indicator, ...]:
        """The entries of all lists, whatever their scope, that share an address with a network or range in text."""
        return overlapping(self._content, text)

    def domain_indicators(
        self, name: str, *, account_id: AccountId | None = None, region: Region | None = None
    ) -> tuple[Indicator, ...]:
        """The entries that name a domain or a parent of it, longest first."""
        return naming_domain(self._content, self._indexes(account_id, region), name)

    def _masks(
        self,
        look_up: Callable[[Index, pl.Series], npt.NDArray[np.uint64]],
        values: pl.Series,
        accounts: pl.Series | None,
        regions: pl.Series | None,
    ) -> pl.Series:
        masks = look_up(self._content.everyone, values)
        for circle, rows in self._content.scopes.rows(accounts, regions):
            own = look_up(self._content.circles[circle], values.gather(rows))
            masks[rows] = trusted_wins(masks[rows] | own)
        return pl.Series(values.name, masks)

    def _indexes(self, account_id: AccountId | None, region: Region | None) -> Iterator[Index]:
        yield self._content.everyone
        if account_id is not None and region is not None:
            circle = self._content.scopes.circles.get((account_id, region))
            if circle is not None:
                yield self._content.circles[circle]

    def _indicators(
        self, value: str | int | None, account_id: AccountId | None, region: Region | None
    ) -> tuple[Indicator, ...]:
        if value is None:
            return ()
        if isinstance(value, int) or address_key(value) is not None:
            return self.ip_indicators(value, account_id=account_id, region=region)
        return self.domain_indicators(value, account_id=account_id, region=region)


def _number_masks(index: Index, addresses: pl.Series) -> npt.NDArray[np.uint64]:
    return index.ip_masks(addresses.fill_null(0).to_numpy())


def _domain_masks(index: Index, names: pl.Series) -> npt.NDArray[np.uint64]:
    return index.domains.masks_of(names)


def _flat(values: Sequence[Value]) -> Iterator[str | int | None]:
    for value in values:
        if isinstance(value, str | int | None):
            yield value
        else:
            yield from value
