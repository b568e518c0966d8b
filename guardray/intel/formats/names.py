"""Texts that may be domains, whole columns of them, to names as resolvers log them."""

from __future__ import annotations

import idna
import polars as pl

_DOMAIN = r"^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$"
_MAX_BYTES = 253
_NOT_ASCII = r"[^\x00-\x7f]"


def domains(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows whose `value` is a well-formed name of two labels or more, with `name` in place of it.

    Names come in lower case, in punycode and without a final dot. A leading `*.` is kept.
    """
    name = pl.col("value").str.to_lowercase().str.strip_suffix(".")
    named = rows.select(pl.exclude("value"), name=name)
    foreign = named["name"].drop_nulls().unique()
    foreign = foreign.filter(foreign.str.contains(_NOT_ASCII))
    if len(foreign):
        encoded = pl.Series([_punycode(one) for one in foreign], dtype=pl.String)
        named = named.with_columns(pl.col("name").replace(foreign, encoded))
    return named.filter(
        (pl.col("name").str.contains(_DOMAIN) & (pl.col("name").str.len_bytes() <= _MAX_BYTES)).fill_null(False)
    )


def _punycode(name: str) -> str | None:
    """An internationalised name as resolvers see it; None where it is none."""
    star, rest = ("*.", name[2:]) if name.startswith("*.") else ("", name)
    try:
        return star + idna.encode(rest, uts46=True).decode().removesuffix(".")
    except idna.IDNAError:
        return None
