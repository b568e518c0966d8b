"""What formats are called, and what can be said of how a list in them is to be read."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

import msgspec

from guardray.intel.categories import Category

Format = Literal[
    "TXT",
    "STIX",
    "OTX_CSV",
    "ALIEN_VAULT",
    "PROOF_POINT",
    "FIRE_EYE",
    "plain",
    "csv",
    "hosts",
    "ipsum",
    "onionoo",
]
FORMATS: tuple[Format, ...] = get_args(Format)
"""The six of GuardDuty's lists, then those of public feeds."""

Kind = Literal["ip", "domain", "any"]
"""What is wanted of a list: addresses, networks and ranges; domains; or both."""

MAX_BYTES = 64 * 2**20
"""How large a list may be unpacked, where nothing else is said."""

_BY_LOWER_CASE = {name.lower(): name for name in FORMATS}


class Columns(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a `csv` list has what: names of its header (in any case), or numbers from 1.

    Attributes:
        indicator: the address, network, range or domain; an address may have a port.
        threat_name: what findings call the threat.
        category: what `categories` translates, where that is not the threat's name.
        confidence: a number from 0 to 100.
        expires: when the entry stops to hold; ISO 8601, in UTC where it has no offset.
        kind: what the indicator is. Rows are left out where it neither begins with `ip` or `cidr` nor is a domain or
            host.
    """

    indicator: str | int = 1
    threat_name: str | int | None = None
    category: str | int | None = None
    confidence: str | int | None = None
    expires: str | int | None = None
    kind: str | int | None = None

    def __post_init__(self) -> None:
        if any(isinstance(place, int) and place < 1 for place in msgspec.structs.astuple(self)):
            raise ValueError("columns are numbered from 1")


DEFAULT_COLUMNS = Columns()


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a list is to be read, beside its format.

    Attributes:
        columns: of `csv`.
        categories: by the name of a threat (in any case), where the list is about several.
        min_lists: how many lists must have an address of `ipsum`.
    """

    columns: Columns = DEFAULT_COLUMNS
    categories: Mapping[str, Category] = MappingProxyType({})
    min_lists: int = 1


def canonical(name: str) -> Format:
    """The format that is meant by a name in any case.

    Raises:
        ValueError: there is none of this name.
    """
    try:
        return _BY_LOWER_CASE[name.strip().lower()]
    except KeyError:
        raise ValueError(f"there is no format {name!r}; there are {', '.join(FORMATS)}") from None
