"""Which categories a domain name has, and which entries say so: those of every listed name it is or sits under."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from guardray.intel.categories import trusted_wins
from guardray.intel.texts import Texts

UInt32s = npt.NDArray[np.uint32]
UInt64s = npt.NDArray[np.uint64]

EXACT, BELOW = 1, 2
"""What an entry means: its name, or what is below its name."""

_VIEW_BYTES = 16


@dataclass(frozen=True, eq=False)
class DomainIndex:
    """Listed domains in a hash table.

    Attributes:
        names: distinct, ascending.
        exact: uint64 [n]: what each listed name is itself.
        below: uint64 [n]: what every name below it is.
        slots: uint32, a power of two: open addressing by the name's hash; a name's number, from 1, or 0.
        bitmap: uint64, a power of two: a bit for each hash that is in the table, some 16 bits a name.
        offsets: uint32 [n + 1]: name i has the entries `entries[offsets[i]:offsets[i + 1]]`.
        entries: uint32.
        reach: uint8, for each of `entries`: EXACT, BELOW or both.
    """

    names: Texts
    exact: UInt64s
    below: UInt64s
    slots: UInt32s
    bitmap: UInt64s
    offsets: UInt32s
    entries: UInt32s
    reach: npt.NDArray[np.uint8]

    @classmethod
    def build(cls, domains: pl.DataFrame) -> DomainIndex:
        """From `name` (lower case, may repeat), `mask`, `entry`, and `reach` (UInt8): EXACT, BELOW or both."""
        rows = domains.sort("name", "entry")
        exact, below = (
            pl.when(pl.col("reach") & use != 0).then("mask").otherwise(pl.lit(0, pl.UInt64)).bitwise_or()
            for use in (EXACT, BELOW)
        )
        listed = rows.group_by("name", maintain_order=True).agg(exact.alias("exact"), below.alias("below"), pl.len())
        names = Texts.of(listed["name"])
        slots, bitmap = _table(names)
        return cls(
            names,
            listed["exact"].to_numpy(),
            listed["below"].to_numpy(),
            slots,
            bitmap,
            np.concatenate(([0], np.cumsum(listed["len"].to_numpy()))).astype(np.uint32),
            rows["entry"].to_numpy(),
            rows["reach"].to_numpy(),
        )

    def masks_of(self, names: pl.Series) -> UInt64s:
        """uint64 [n]: the categories of names; null has none. Case and a final dot do not matter."""
        found = np.zeros(len(names), np.uint64)
        if not len(self.names) or not len(names):
            return found
        from guardray.intel.suffixes import look_up

        array = names.cast(pl.String).fill_null("").rechunk().to_arrow(compat_level=pl.CompatLevel.newest())
        _, views, *data = array.buffers()
        words = np.frombuffer(views, np.uint64, 2 * len(array), _VIEW_BYTES * array.offset).reshape(-1, 2)
        buffers = np.array([buffer.address for buffer in data], np.uint64)
        look_up(
            words,
            buffers,
            self.names.offsets,
            self.names.data,
            self.slots,
            self.bitmap,
            self.exact,
            self.below,
            found,
        )
        return trusted_wins(found)

    def entries_of(self, name: str) -> list[tuple[str, int]]:
        """The entries that name a domain or a parent of it, longest first, and what each has: `*.` means below."""
        found: list[tuple[str, int]] = []
        wanted = name.lower().removesuffix(".")
        suffix = wanted
        while suffix:
            place = bisect_left(self.names, suffix.encode())
            if place < len(self.names) and self.names[place] == suffix.encode():
                found += self._entries(place, suffix, EXACT if suffix == wanted else BELOW)
            suffix = suffix.partition(".")[2]
        return found

    def _entries(self, place: int, name: str, use: int) -> list[tuple[str, int]]:
        held = range(self.offsets[place], self.offsets[place + 1])
        return [
            (f"*.{name}" if self.reach[one] == BELOW else name, int(self.entries[one]))
            for one in held
            if self.reach[one] & use
        ]


def _table(names: Texts) -> tuple[UInt32s, UInt64s]:
    """The names' hash table, at most half full, and its bitmap."""
    size = 1 << (2 * len(names)).bit_length()
    slots, bitmap = np.zeros(size, np.uint32), np.zeros(max(size // 8, 1), np.uint64)
    if len(names):
        from guardray.intel.suffixes import insert

        insert(names.offsets, names.data, slots, bitmap)
    return slots, bitmap
