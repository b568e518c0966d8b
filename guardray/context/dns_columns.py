"""Columns of queries that say what their names look like and carry; most rows are told at a glance, and left out."""

from __future__ import annotations

import polars as pl

from guardray.names.information import carried_bits
from guardray.names.model import ODD, shipped

REVERSE = ".arpa"
HOSTED = r"\.(amazonaws\.com|cloudfront\.net|azure[a-z]*\.(net|com)|windows\.net|googleusercontent\.com|fastly\.net)$"
"""Clouds give customers names with drawn letters below these, so a name there looks generated and is not."""

LEAST_CHOSEN = 16
"""Characters below the domain from which on what they carry is counted. Names of hosts are shorter."""

CARRIER_BITS = 320
"""Bits from which on a name is one that carries data: 40 bytes, more than a SHA-256 digest has, so that look-ups of
files by their digest are not. Tunnels fill their names, which hold 150 bytes."""

CARRIER_TYPES = ("TXT", "NULL", "CNAME", "MX", "KEY", "PRIVATE", "TYPE65399")
"""Types whose answers whoever answers is free to write. Addresses and names of servers are not among them."""

LEAST_ANSWERED = 100
"""Bytes of such answers from which on they are counted; aliases and names of mail servers are shorter."""

LEAST_BITS = 64
"""Bits from which on a name is counted at all."""


def unresolved(frame: pl.DataFrame) -> list[pl.Series]:
    """Of rows without an answer: their domain, how generated it looks, and the domain where it does."""
    asked = frame.select(
        pl.when(pl.col("rcode") != "NOERROR", ~pl.col("query_registered_domain").str.ends_with(REVERSE))
        .then("query_registered_domain")
        .alias("query_unresolved_domain")
    ).to_series()
    distinct = asked.drop_nulls().unique()
    likely = shipped().percent(distinct).set(distinct.str.contains(HOSTED), None)
    percent = asked.replace_strict(distinct, likely, default=None, return_dtype=pl.UInt8)
    looks = pl.select(pl.when(percent >= ODD).then(asked)).to_series()
    return [asked, percent.alias("query_generated_percent"), looks.alias("query_generated_domain")]


def carried(frame: pl.DataFrame) -> list[pl.Series]:
    """Of names and answers that carry something: below which domain, how much, and the name where it carries data."""
    few = (
        frame.select("query_hostname", "query_registered_domain", "query_type", "answers")
        .with_row_index("row")
        .filter(_MAY_CARRY)
        .with_columns(_BELOW.alias("query_carrier_domain"), _ANSWERED.alias("answers_bytes"))
        .with_columns(_PART.fill_null("").alias("part"))
    )
    told = (
        few.with_columns(carried_bits(few["part"]).alias("query_bits"))
        .filter((pl.col("query_bits") >= LEAST_BITS) | (pl.col("answers_bytes") > 0))
        .with_columns(pl.when(pl.col("query_bits") >= CARRIER_BITS).then("query_hostname").alias("query_carrier"))
        .select("row", *CARRIED)
    )
    rows = pl.DataFrame({"row": pl.arange(frame.height, dtype=pl.UInt32, eager=True)})
    return rows.join(told, on="row", how="left", maintain_order="left").select(CARRIED).get_columns()


CARRIED = ("query_carrier_domain", "query_bits", "answers_bytes", "query_carrier")

_NAME, _DOMAIN = pl.col("query_hostname"), pl.col("query_registered_domain")
_CHOSEN = _NAME.str.len_bytes() - _DOMAIN.str.len_bytes().fill_null(0)
_MAY_CARRY = ~_NAME.str.ends_with(REVERSE) & (
    (_CHOSEN > LEAST_CHOSEN) | (pl.col("query_type").is_in(CARRIER_TYPES) & (_CHOSEN > 0))
)
_BELOW = pl.coalesce(_DOMAIN, _NAME.str.extract(r"([^.]+\.[a-z]{2,12})$"), pl.lit(""))
"""Names below no public suffix may be of somebody's own name servers. Where the last label is none that could be a
top level, the name has no domain, and is all chosen: some tunnels ask so."""

_PART = _NAME.str.head(
    (_NAME.str.len_chars().cast(pl.Int64) - pl.col("query_carrier_domain").str.len_chars() - 1).clip(0)
)
_WRITTEN = pl.col("answers").list.eval(pl.element().str.len_bytes()).list.sum().fill_null(0)
_ANSWERED = (
    pl.when(pl.col("query_type").is_in(CARRIER_TYPES) & (_CHOSEN > 0) & (_WRITTEN >= LEAST_ANSWERED))
    .then(_WRITTEN)
    .otherwise(0)
    .cast(pl.UInt32)
)
