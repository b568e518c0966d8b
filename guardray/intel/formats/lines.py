"""Formats of one entry a line: TXT and plain, ALIEN_VAULT, hosts files, ipsum."""

from __future__ import annotations

import polars as pl

from guardray.intel.formats.options import Options
from guardray.intel.formats.rows import lines_of

_RANGE = r"^([0-9a-fA-F.:]+\s*-\s*[0-9a-fA-F.:]+)(?:[\s,;#]|$)"
_FIRST_FIELD = r"^([^\s,;#]+)"
_HOSTS_LINE = r"^[0-9a-fA-F.:]+(?:%\w+)?\s+([^#]+)"
_OWN_NAMES = ("localhost.localdomain", "localhost6.localdomain6", "0.0.0.0")
_CONFIDENCE_A_LIST = 10


def plain(text: str, options: Options) -> pl.DataFrame:
    """`ROWS` of lines of which only the first field counts. `#` begins a comment."""
    field = pl.coalesce(pl.col("text").str.extract(_RANGE), pl.col("text").str.extract(_FIRST_FIELD))
    return lines_of(text).select("line", value=field)


def alien_vault(text: str, options: Options) -> pl.DataFrame:
    """`ROWS` of AlienVault's reputation feed: fields between `#`, of which only the first counts."""
    return lines_of(text).select("line", value=pl.col("text").str.extract(r"^([^#]+)").str.strip_chars())


def hosts(text: str, options: Options) -> pl.DataFrame:
    """`ROWS` of a hosts file: an address, which does not matter, and names; those of the machine are left out."""
    names = pl.col("text").str.extract(_HOSTS_LINE).str.extract_all(r"\S+")
    rows = lines_of(text).select("line", value=names).explode("value", empty_as_null=True)
    return rows.filter(~pl.col("value").is_in(_OWN_NAMES).fill_null(False))


def ipsum(text: str, options: Options) -> pl.DataFrame:
    """`ROWS` and facts of ipsum: an address and how many lists have it, which gives 10 of confidence each.

    Addresses on fewer than `min_lists` are not wanted, and so not there; without a number, nothing is known of a line.
    """
    parts = pl.col("text").str.extract_groups(r"^(\S+)\s+(\d+)$").struct
    lists = parts.field("2").cast(pl.UInt32, strict=False)
    confidence = pl.min_horizontal(lists * _CONFIDENCE_A_LIST, 100).cast(pl.UInt8)
    counted = lines_of(text).select("line", value=parts.field("1"), confidence=confidence, lists=lists)
    return counted.filter((pl.col("lists") >= options.min_lists).fill_null(True)).drop("lists")
