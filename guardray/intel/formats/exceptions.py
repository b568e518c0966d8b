"""What a list is known to be wrong about, cut out of its entries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import polars as pl

from guardray.intel.entries import Entries
from guardray.intel.values import entries_of_value

_WORD = 2**64


def without(entries: Entries, exceptions: Sequence[str]) -> Entries:
    """Entries without addresses, networks, ranges and domains: of a range that holds some of them, the rest stays.

    A domain is left out as it is written; `*.` before it means every name below it.

    Raises:
        ValueError: an exception is none of these.
    """
    v4, v6, names = entries.v4, entries.v6, entries.domains
    for exception in map(entries_of_value, exceptions):
        v4 = _cut_v4(v4, *exception.v4.select("first", "last").iter_rows())
        v6 = _cut_v6(v6, *map(_ends, exception.v6.iter_rows(named=True)))
        names = _left(names, exception.domains["name"])
    return replace(entries, v4=v4, v6=v6, domains=names)


def _cut_v4(ranges: pl.DataFrame, *cuts: tuple[int, int]) -> pl.DataFrame:
    for first, last in cuts:
        touched = (pl.col("first") <= last) & (pl.col("last") >= first)
        hit = ranges.filter(touched)
        below = hit.filter(pl.col("first") < first).with_columns(last=pl.lit(first).cast(pl.UInt32) - 1)
        above = hit.filter(pl.col("last") > last).with_columns(first=pl.lit(last).cast(pl.UInt32) + 1)
        ranges = pl.concat([ranges.filter(~touched), below, above])
    return ranges


def _cut_v6(ranges: pl.DataFrame, *cuts: tuple[int, int]) -> pl.DataFrame:
    """Row by row: lists hold few IPv6 ranges, and exceptions are rare."""
    for first, last in cuts:
        kept = []
        for row in ranges.iter_rows(named=True):
            low, high = _ends(row)
            if high < first or low > last:
                kept.append(row)
                continue
            rest = ((low, first - 1), (last + 1, high))
            kept += [row | _words(*ends) for ends in rest if ends[0] <= ends[1]]
        ranges = pl.DataFrame(kept, schema=ranges.schema)
    return ranges


def _left(names: pl.DataFrame, exceptions: Iterable[str]) -> pl.DataFrame:
    for exception in exceptions:
        bare = pl.col("name").str.strip_prefix("*.")
        is_named = bare.str.ends_with(exception[1:]) if exception.startswith("*.") else bare == exception
        names = names.filter(~is_named)
    return names


def _ends(row: dict[str, int]) -> tuple[int, int]:
    return row["first_hi"] * _WORD + row["first_lo"], row["last_hi"] * _WORD + row["last_lo"]


def _words(first: int, last: int) -> dict[str, int]:
    (first_hi, first_lo), (last_hi, last_lo) = divmod(first, _WORD), divmod(last, _WORD)
    return {"first_hi": first_hi, "first_lo": first_lo, "last_hi": last_hi, "last_lo": last_lo}
