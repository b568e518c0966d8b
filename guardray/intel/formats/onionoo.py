"""Onionoo: Tor's own account of its relays, as JSON.

Source: Onionoo protocol, details documents (https://metrics.torproject.org/onionoo.html).
"""

from __future__ import annotations

import msgspec
import polars as pl

from guardray.intel.categories import Category
from guardray.intel.formats.options import Options
from guardray.intel.formats.rows import FACTS, ROWS

_ENTRY_FLAGS = frozenset({"Guard", "Authority"})


class _Relay(msgspec.Struct, frozen=True):
    or_addresses: tuple[str, ...] = ()
    exit_addresses: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()


class _Details(msgspec.Struct, frozen=True):
    relays: tuple[_Relay, ...]


def onionoo(text: str, options: Options) -> pl.DataFrame:
    """`ROWS` and categories of the addresses of relays; `line` is the number of the relay.

    Every relay is one of `tor-relay`; guards and directory authorities are `tor-entry` as well, and what may be an exit
    is `tor-exit`, there with the addresses that it was seen to leave by.

    Raises:
        ValueError: it is not a details document.
    """
    try:
        relays = msgspec.json.decode(text, type=_Details).relays
    except msgspec.MsgspecError as error:
        raise ValueError(f"is not a details document of Onionoo: {error}") from error
    rows = [
        (number, address, category)
        for number, relay in enumerate(relays, 1)
        for address, category in _categories(relay)
    ]
    return pl.DataFrame(rows, schema={**ROWS, "category": FACTS["category"]}, orient="row")


def _categories(relay: _Relay) -> list[tuple[str, Category]]:
    addresses = dict.fromkeys(address.rpartition(":")[0] for address in relay.or_addresses)  # of several ports
    found: list[tuple[str, Category]] = [(address, "tor-relay") for address in addresses]
    if relay.flags & _ENTRY_FLAGS:
        found += [(address, "tor-entry") for address in addresses]
    if "Exit" in relay.flags:
        found += [(address, "tor-exit") for address in dict.fromkeys((*addresses, *relay.exit_addresses))]
    return found
