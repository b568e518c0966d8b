"""The entries that name one value, written out with all that their lists say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from guardray.intel.categories import Category
from guardray.intel.content import Content
from guardray.intel.index import Index
from guardray.intel.values import address_key, ends_of, range_text
from guardray.schema.ipv6 import to_words

_WIDE_V4 = 2**24
"""Between the ends of a range, without the first address: a network with a prefix of 8 bits has one less."""

_WIDE_V6_WORDS = 2**48
"""The same for the upper 64 bits of IPv6, and a prefix of 16 bits."""


@dataclass(frozen=True)
class Indicator:
    """An entry of a list.

    Attributes:
        value: an address, a network, a range or a domain.
        confidence: 0 to 100, where the list gives one.
        expires: when it stops to hold.
    """

    value: str
    category: Category
    list_name: str
    threat_name: str | None = None
    confidence: int | None = None
    expires: datetime | None = None

    def has_expired(self, time: datetime | None) -> bool:
        """Whether it holds no more at the time; never, where there is no time."""
        return time is not None and self.expires is not None and self.expires <= time


def naming_address(content: Content, indexes: Iterable[Index], address: str | int) -> tuple[Indicator, ...]:
    """The entries in some of the content's indexes that hold an address, in the order of the lists."""
    key = address_key(address)
    if key is None:
        return ()
    is_v4 = key.dtype == np.uint32
    entries = [entry for index in indexes for entry in (index.v4 if is_v4 else index.v6).entries_at(key)]
    held = content.values.v4 if is_v4 else content.values.v6
    return tuple(
        _indicator(content, range_text(held.first[entry], held.last[entry]), int(held.facts[entry]))
        for entry in sorted(entries)
    )


def overlapping(content: Content, text: str) -> tuple[Indicator, ...]:
    """The entries of all lists, whatever their scope, that share an address with a network or range in text.

    This walks over all entries: it is for people who ask, not for columns.
    """
    ends = ends_of(text)
    if ends is None:
        return ()
    low, high = (address_key(str(end)) for end in ends)
    held = content.values.v4 if low is not None and low.dtype == np.uint32 else content.values.v6
    entries = np.flatnonzero((held.first <= high) & (held.last >= low)).tolist()
    return tuple(
        _indicator(content, range_text(held.first[entry], held.last[entry]), int(held.facts[entry]))
        for entry in entries
    )


def too_wide(content: Content) -> dict[str, str]:
    """See `IndicatorStore.widest`."""
    v4, v6 = content.values.v4, content.values.v6
    wide_v4 = np.flatnonzero(v4.last - v4.first >= np.uint32(_WIDE_V4))
    first, last = to_words(v6.first)[0], to_words(v6.last)[0]
    wide_v6 = np.flatnonzero(last - first >= np.uint64(_WIDE_V6_WORDS))
    found = [_indicator(content, range_text(v4.first[one], v4.last[one]), int(v4.facts[one])) for one in wide_v4]
    found += [_indicator(content, range_text(v6.first[one], v6.last[one]), int(v6.facts[one])) for one in wide_v6]
    return {one.list_name: one.value for one in reversed(found)}


def naming_domain(content: Content, indexes: Iterable[Index], name: str) -> tuple[Indicator, ...]:
    """The entries in some of the content's indexes that name a domain or a parent of it, longest first."""
    found = [named for index in indexes for named in index.domains.entries_of(name)]
    ordered = sorted(found, key=lambda named: (-named[0].removeprefix("*.").count("."), named[1]))
    return tuple(_indicator(content, value, int(content.values.domain_facts[entry])) for value, entry in ordered)


def _indicator(content: Content, value: str, number: int) -> Indicator:
    fact = content.facts[number]
    list_name = content.about.lists[fact.list].name
    return Indicator(value, fact.category, list_name, fact.threat_name, fact.confidence, fact.expires)
