"""Columns of queries that tell whose a name is, what it looks like and what it carries.

A batch has each name many times, so what a name alone tells is found once a distinct name, and rows point to it.
"""

from __future__ import annotations

import polars as pl

from guardray.context.public_suffix import registered_domains
from guardray.names.information import carried_bits
from guardray.names.model import ODD, shipped

HOSTED = r"\.(amazonaws\.com|cloudfront\.net|azure[a-z]*\.(net|com)|windows\.net|googleusercontent\.com|fastly\.net)$"
"""Clouds give customers names with drawn letters below these, so a name there looks generated and is not."""

KEPT_INSIDE = r"(^|\.)(arpa|internal|local|localdomain|localhost|lan|home|corp|amazonaws\.com)$"
"""What is asked below these reaches no stranger, and is nobody's domain: they are kept for private networks and for
reverse look-ups, or are the endpoints of AWS. A customer's names there, such as buckets, are domains of their own."""

LEAST_CHOSEN = 20
"""Characters below the domain from which on what they carry is counted. Names of most hosts are shorter."""

LEAST_BITS = 96
"""Bits from which on a name is counted at all: 12 bytes."""

CARRIER_BITS = 320
"""Bits from which on a name is one that carries data: 40 bytes, more than a SHA-256 digest has, so that look-ups of
files by their digest are not. Tunnels fill their names, which hold 150 bytes."""

CARRIER_TYPES = ("TXT", "NULL", "CNAME", "MX", "KEY", "PRIVATE", "TYPE65399")
"""Types whose answers whoever answers is free to write. Addresses and names of servers are not among them."""

LEAST_ANSWERED = 100
"""Bytes of such answers from which on they are counted; aliases and names of mail servers are shorter."""


def name_columns(frame: pl.DataFrame) -> list[pl.Series]:
    """All columns that names and answers give, as `guardray.context.enrich` lists them.

    Where the list of public suffixes knows none, the last two labels count as a domain too in all but the first: some
    name servers have top levels of their own.
    """
    names = frame["query_hostname"]
    distinct = names.unique()
    table = _described(distinct.to_frame("name"))
    place = _places(names, distinct)
    domain = table["domain"].gather(place)
    return [domain.alias("query_registered_domain"), *_unresolved(frame, table, place), *_carried(frame, table, place)]


def _described(names: pl.DataFrame) -> pl.DataFrame:
    """Of each `name`: its `domain`, what it is `below`, the `bits` that it carries, and itself as `carrier`."""
    found = names.with_columns(registered_domains(names["name"]).alias("domain")).with_columns(_BELOW.alias("below"))
    long = found.with_row_index("place").filter(_CHOSEN > LEAST_CHOSEN)
    bits = carried_bits(long.select(_PART).to_series())
    counted = long.select("place", bits=bits).filter(pl.col("bits") >= LEAST_BITS)
    every = found.with_row_index("place").join(counted, on="place", how="left", maintain_order="left")
    return every.with_columns(pl.when(pl.col("bits") >= CARRIER_BITS).then("name").alias("carrier"))


def _unresolved(frame: pl.DataFrame, table: pl.DataFrame, place: pl.Series) -> list[pl.Series]:
    """Of rows that were not answered: their domain, how generated it looks, and the domain where it does."""
    asked = place.set((frame["rcode"] == "NOERROR").fill_null(True), None)
    once = asked.unique().drop_nulls()
    domain = table["below"].gather(once)
    domain = domain.set((domain == "").fill_null(False), None)
    percent = shipped().percent(domain.set(domain.str.contains(HOSTED).fill_null(False), None))
    told = pl.DataFrame({"domain": domain, "percent": percent}).with_columns(
        pl.when(pl.col("percent") >= ODD).then("domain").alias("generated")
    )
    rows = told[_places(asked, once)]
    return [rows[name].alias(f"query_{column}") for name, column in _UNRESOLVED.items()]


def _carried(frame: pl.DataFrame, table: pl.DataFrame, place: pl.Series) -> list[pl.Series]:
    """Of names and answers that carry something: below which domain, how much, and the name where it carries data."""
    bits, answered = table["bits"].gather(place), _long_answers(frame, table["below"], place)
    counts = bits.is_not_null() | (answered > 0)
    told = place.set(~counts, None)
    return [
        table["below"].gather(told).alias("query_carrier_domain"),
        bits.set(counts & bits.is_null(), 0).alias("query_bits"),
        answered.set(~counts, None).alias("answers_bytes"),
        table["carrier"].gather(told).alias("query_carrier"),
    ]


def _long_answers(frame: pl.DataFrame, below: pl.Series, place: pl.Series) -> pl.Series:
    """UInt32 [n]: bytes of the answers that whoever answers is free to write, where they are long; 0 elsewhere."""
    few = (
        frame.select("query_type", "answers", place=place)
        .with_row_index("row")
        .filter(pl.col("query_type").is_in(CARRIER_TYPES))
    )
    length = few["answers"].list.eval(pl.element().str.len_bytes()).list.sum().cast(pl.UInt32)
    long = (length >= LEAST_ANSWERED).fill_null(False) & below.gather(few["place"]).is_not_null()
    return pl.zeros(frame.height, pl.UInt32, eager=True).scatter(few["row"].filter(long), length.filter(long))


def _places(values: pl.Series, distinct: pl.Series) -> pl.Series:
    """Where each value is among the distinct ones: UInt32 [n]."""
    places = pl.arange(len(distinct), dtype=pl.UInt32, eager=True)
    return values.replace_strict(distinct, places, default=None, return_dtype=pl.UInt32)


_UNRESOLVED = {
    "domain": "unresolved_domain",
    "percent": "generated_percent",
    "generated": "generated_domain",
}

_NAME = pl.col("name")
_NEAREST = pl.coalesce("domain", _NAME.str.extract(r"([^.]+\.[a-z]{2,12})$"), pl.lit(""))
"""Names below no public suffix may be of somebody's own name servers. Where the last label is none that could be a
top level, the name has no domain, and is all chosen: some tunnels ask so."""

_BELOW = pl.when(~_NEAREST.str.contains(KEPT_INSIDE)).then(_NEAREST)
_CHOSEN = _NAME.str.len_bytes() - pl.col("below").str.len_bytes()
_PART = _NAME.str.head((_NAME.str.len_chars().cast(pl.Int64) - pl.col("below").str.len_chars() - 1).clip(0))
