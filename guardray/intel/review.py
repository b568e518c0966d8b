"""All that lists say of one value, for a person who asks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec
import polars as pl

from guardray.errors import UsageError
from guardray.intel.categories import Category
from guardray.intel.entries import Scope, ThreatList
from guardray.intel.formats.addresses import ranges
from guardray.intel.formats.names import domains
from guardray.intel.indicators import Indicator
from guardray.intel.store import IndicatorStore
from guardray.intel.values import ends_of
from guardray.types import AccountId, Region


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that names the value, or shares an address with it.

    Attributes:
        value: the entry: an address, a network, a range or a domain.
        has_expired: whether it holds no more.
        scope: the accounts and Regions that its list is for; None: all of them.
    """

    list_name: str
    value: str
    category: Category
    threat_name: str | None
    confidence: int | None
    expires: datetime | None
    has_expired: bool
    scope: tuple[tuple[AccountId, Region], ...] | None


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """What lists say of a value.

    Attributes:
        value: as it is looked up.
        verdict: one sentence.
        trusted: whether a list of what is trusted names it.
        named: trusted entries first.
    """

    value: str
    kind: Literal["address", "domain"]
    verdict: str
    trusted: bool
    named: tuple[Named, ...]


def review(store: IndicatorStore, value: str, now: datetime) -> Review:
    """What the lists of a store say of an address, a network, a range or a domain, whatever their scope.

    Raises:
        UsageError: it is none of these.
    """
    ends = ends_of(value.strip())
    is_public = True
    if ends is not None:
        kind: Literal["address", "domain"] = "address"
        asked = value.strip()
        is_public = _is_public(asked)
        found = store.range_indicators(asked) if is_public else ()
    else:
        kind, asked = "domain", _domain(value)
        found = tuple(_naming_domain(store, asked))
    by_name = {one.name: one for one in store.lists}
    named = sorted(
        (_named(one, by_name[one.list_name], now) for one in found), key=lambda one: one.category != "trusted"
    )
    is_trusted = any(one.category == "trusted" for one in named)
    verdict = _verdict(asked, named, len(store.lists)) if is_public else f"{asked} is not public: no list counts there"
    return Review(value=asked, kind=kind, verdict=verdict, trusted=is_trusted, named=tuple(named))


def _is_public(text: str) -> bool:
    """Whether any address in an address, a network or a range may match a list at all."""
    return any(len(found) for found in ranges(pl.DataFrame({"value": [text]})))


def _domain(value: str) -> str:
    names = domains(pl.DataFrame({"value": [value.strip()]}))["name"].to_list()
    if not names:
        raise UsageError(f"{value!r} is no address, network, range or domain")
    return str(names[0])


def _naming_domain(store: IndicatorStore, name: str) -> Iterable[Indicator]:
    places = {place for one in store.lists for place in one.scope or ()}
    found = list(store.domain_indicators(name))
    for account, region in sorted(places):
        found += store.domain_indicators(name, account_id=account, region=region)
    return dict.fromkeys(found)


def _named(one: Indicator, of: ThreatList, now: datetime) -> Named:
    return Named(
        list_name=one.list_name,
        value=one.value,
        category=one.category,
        threat_name=one.threat_name or of.threat_name,
        confidence=one.confidence,
        expires=one.expires,
        has_expired=one.has_expired(now),
        scope=_sorted(of.scope),
    )


def _sorted(scope: Scope | None) -> tuple[tuple[AccountId, Region], ...] | None:
    return None if scope is None else tuple(sorted(scope))


def _verdict(value: str, named: list[Named], lists: int) -> str:
    if not named:
        return f"{value} is on none of {lists} {'list' if lists == 1 else 'lists'}"
    names = sorted({one.list_name for one in named})
    on = f"{value} is on {len(names)} of {lists} {'list' if lists == 1 else 'lists'}"
    if any(one.category == "trusted" and one.scope is None for one in named):
        return f"{on}, and trusted: what other lists say does not count"
    if any(one.category == "trusted" for one in named):
        return f"{on}, and trusted in some accounts: what other lists say does not count there"
    if all(one.has_expired for one in named):
        return f"{on}, and all entries have expired"
    return on
