"""What a list holds, as its parser leaves it: rows of IPv4 ranges, IPv6 ranges and domains."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from guardray.intel.categories import Category
from guardray.types import AccountId, Region

_FACTS: dict[str, pl.DataType] = {
    "threat_name": pl.String(),
    "confidence": pl.UInt8(),
    "expires": pl.Datetime("us", "UTC"),
    "category": pl.String(),
}
"""What each row may say of itself. All nullable; `category`, where given, stands in for the list's."""

V4_SCHEMA = pl.Schema({"first": pl.UInt32(), "last": pl.UInt32(), **_FACTS})
_ENDS = ("first_hi", "first_lo", "last_hi", "last_lo")
V6_SCHEMA = pl.Schema({**dict.fromkeys(_ENDS, pl.UInt64()), **_FACTS})
DOMAIN_SCHEMA = pl.Schema({"name": pl.String(), **_FACTS})


@dataclass(frozen=True, kw_only=True)
class Entries:
    """The usable indicators of one list, any of the three kinds.

    Attributes:
        v4: `V4_SCHEMA`: ranges of IPv4 numbers, ends included, `first` <= `last`. Each touches public addresses.
        v6: `V6_SCHEMA`: ranges of IPv6 numbers as upper and lower 64 bits, ends included. An IPv4-mapped address
            (`::ffff:203.0.113.7`) belongs in `v4`.
        domains: `DOMAIN_SCHEMA`: lower-case names in punycode without a final dot. A leading `*.` is kept: a trusted
            list means only what is below by it.
        skipped: lines that hold something, but no usable indicator of the wanted kind.
        skipped_lines: the numbers of the first few of them, from 1.
    """

    v4: pl.DataFrame = field(default_factory=V4_SCHEMA.to_frame)
    v6: pl.DataFrame = field(default_factory=V6_SCHEMA.to_frame)
    domains: pl.DataFrame = field(default_factory=DOMAIN_SCHEMA.to_frame)
    skipped: int = 0
    skipped_lines: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        *,
        v4: pl.DataFrame | None = None,
        v6: pl.DataFrame | None = None,
        domains: pl.DataFrame | None = None,
        skipped: int = 0,
        skipped_lines: tuple[int, ...] = (),
    ) -> Entries:
        """From frames that may lack any of the nullable columns; other columns are left out."""
        return cls(
            v4=_shaped(v4, V4_SCHEMA),
            v6=_shaped(v6, V6_SCHEMA),
            domains=_shaped(domains, DOMAIN_SCHEMA),
            skipped=skipped,
            skipped_lines=skipped_lines,
        )

    def __len__(self) -> int:
        return self.v4.height + self.v6.height + self.domains.height


Scope = frozenset[tuple[AccountId, Region]]


@dataclass(frozen=True)
class ThreatList:
    """A list that was loaded, and what holds for all of it.

    Attributes:
        category: of the entries that have none of their own; `trusted` for a list of what is never a threat.
        threat_name: of the entries that have none of their own.
        entries: how many there are.
        skipped: lines of it that could not be used.
        confidence: 0 to 100, of the entries that have none of their own.
        scope: the accounts and Regions that it is for; None: all of them.
    """

    name: str
    category: Category
    threat_name: str | None
    entries: int
    skipped: int
    confidence: int | None = None
    scope: Scope | None = None


def _shaped(frame: pl.DataFrame | None, schema: pl.Schema) -> pl.DataFrame:
    if frame is None:
        return schema.to_frame()
    missing = [pl.lit(None, kind).alias(name) for name, kind in schema.items() if name not in frame.columns]
    return frame.with_columns(*missing).select(schema.names()).cast(schema)
