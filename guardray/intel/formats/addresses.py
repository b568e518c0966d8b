"""Texts that may be addresses, whole columns of them, to ranges."""

from __future__ import annotations

from bisect import bisect_right
from ipaddress import IPv6Address

import polars as pl

from guardray.intel.values import ends_of
from guardray.schema.addresses import NOT_PUBLIC, ipv4_numbers
from guardray.schema.ipv6 import NOT_PUBLIC_V6

_V4 = r"^([0-9.]+)(?:/(\d{1,2})|\s*-\s*([0-9.]+)|:\d{1,5})?$"
_TWO_COLONS = r":.*:"
_V6_IN_BRACKETS = r"^\[(.+)\](?::\d{1,5})?$"
_V4_BITS, _WORD_BITS = 32, 64
_V4_ONES, _WORD_ONES = 2**_V4_BITS - 1, 2**_WORD_BITS - 1
_MAPPED = 0xFFFF
"""The first 96 bits of an IPv4-mapped address."""

_UNROUTED_V6 = [(int(network[0]), int(network[-1])) for network in NOT_PUBLIC_V6]
_V6_WORDS = ("first_hi", "first_lo", "last_hi", "last_lo")


def ranges(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows whose `value` is or covers a public address, IPv4 and IPv6 apart, with the ends in place of `value`.

    It may be an address, an address with a port (IPv6: in brackets), a CIDR block (host bits are cleared) or a range
    `a-b`. IPv6 addresses, blocks and ranges that are mapped IPv4 addresses are among the IPv4 ones.

    Returns:
        `first`, `last` as Int64 numbers of IPv4; the upper and lower 64 bits of both ends of IPv6.
    """
    v6 = _v6_numbers(rows)
    is_mapped = pl.col("high") == _MAPPED
    v4 = pl.concat([_v4_numbers(rows), v6.filter(is_mapped).drop(*_V6_WORDS, "high")])
    v4 = v4.filter((pl.col("first") <= pl.col("last")) & ~_reserved())
    return v4, v6.filter(~is_mapped).drop("first", "last", "high")


def _v4_numbers(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of the form of an IPv4 range; what is none after all has null in `first` or `last`."""
    parts = pl.col("value").str.extract_groups(_V4).struct
    prefix = parts.field("2").fill_null(str(_V4_BITS)).cast(pl.Int64)
    number = ipv4_numbers(parts.field("1")).cast(pl.Int64)
    size = pl.lit(2, pl.Int64) ** (_V4_BITS - prefix.clip(upper_bound=_V4_BITS))
    low = number - number % size
    end = ipv4_numbers(parts.field("3")).cast(pl.Int64)
    is_range = parts.field("3").is_not_null()
    first = pl.when(prefix <= _V4_BITS).then(pl.when(is_range).then(number).otherwise(low))
    last = pl.when(is_range).then(end).otherwise(low + size - 1)
    written = rows.filter(pl.col("value").str.contains(_V4).fill_null(False))
    return written.with_columns(first=first, last=last).drop("value")


def _v6_numbers(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with a public IPv6 range: the words of both ends; `high`, the first 96 bits where both ends have the same
    and these are those of mapped addresses, else 0; and the other bits of both ends, `first` and `last`."""
    rows = rows.filter(pl.col("value").str.contains(_TWO_COLONS).fill_null(False))
    found = [_v6_ends(text) for text in rows["value"].str.replace(_V6_IN_BRACKETS, "${1}").to_list()]
    ends = [one for one in found if one is not None]
    words = [(*divmod(first, _WORD_ONES + 1), *divmod(last, _WORD_ONES + 1)) for first, last in ends]
    high = [_MAPPED if _is_mapped(first) and _is_mapped(last) else 0 for first, last in ends]
    columns = dict(zip(_V6_WORDS, zip(*words, strict=True), strict=True)) if words else dict.fromkeys(_V6_WORDS, ())
    return (
        rows.drop("value")
        .filter(pl.Series([one is not None for one in found], dtype=pl.Boolean))
        .with_columns(
            *(pl.Series(name, numbers, dtype=pl.UInt64) for name, numbers in columns.items()),
            pl.Series("first", [first & _V4_ONES for first, _ in ends], dtype=pl.Int64),
            pl.Series("last", [last & _V4_ONES for _, last in ends], dtype=pl.Int64),
            pl.Series("high", high, dtype=pl.UInt32),
        )
    )


def _v6_ends(text: str) -> tuple[int, int] | None:
    """First and last number of a range that is not wholly unrouted; mapped IPv4 addresses are judged as such later."""
    ends = None if "%" in text else ends_of(text)  # an address with a zone is of one machine only
    if ends is None or not all(isinstance(end, IPv6Address) for end in ends):
        return None
    first, last = map(int, ends)
    if first > last:
        return None
    low, high = _UNROUTED_V6[bisect_right(_UNROUTED_V6, (first, 2**128)) - 1]
    if low <= first and last <= high and not (_is_mapped(first) and _is_mapped(last)):
        return None
    return first, last


def _is_mapped(number: int) -> bool:
    return number >> _V4_BITS == _MAPPED


def _reserved() -> pl.Expr:
    return pl.any_horizontal(
        (pl.col("first") >= int(network[0])) & (pl.col("last") <= int(network[-1])) for network in NOT_PUBLIC
    )
