"""Entries as people write them."""

from __future__ import annotations

from guardray.intel.entries import Entries
from guardray.intel.values import range_text
from guardray.schema.ipv6 import WIDTH


def written(entries: Entries) -> set[str]:
    """All entries as text: addresses, networks, ranges, names."""
    v4 = {range_text(first, last) for first, last in entries.v4.select("first", "last").iter_rows()}
    words = entries.v6.select("first_hi", "first_lo", "last_hi", "last_lo").iter_rows()
    v6 = {range_text(_packed(*row[:2]), _packed(*row[2:])) for row in words}
    return v4 | v6 | set(entries.domains["name"])


def _packed(high: int, low: int) -> bytes:
    return ((high << 64) + low).to_bytes(WIDTH)
