"""Formats of one entry a line: TXT and plain, ALIEN_VAULT, hosts files, ipsum."""

from __future__ import annotations

import polars as pl

from guardray.intel.formats.options import Options
from guardray.intel.formats.rows import lines_of

_RANGE = r"^([0-9a-fA-F.:]+\s*-\s*[0-9a-fA-F.:]+)(?:[\s,;#]|$)"
_FIRST_FIELD = r"^([^\s,;#]+)"


def plain(text: str, options: Options) -> pl.DataFrame:
    """`ROWS` of lines of which only the first field counts. `#` begins a comment."""
    field = pl.coalesce(pl.col("text").str.extract(_RANGE), pl.col("text").str.extract(_FIRST_FIELD))
    return lines_of(text).select("line", value=field)
