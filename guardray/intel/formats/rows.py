"""What readers of formats leave: rows of texts that may be indicators, by the line that each is from."""

from __future__ import annotations

import polars as pl

from guardray.intel.entries import V4_SCHEMA

FACTS = pl.Schema({name: kind for name, kind in V4_SCHEMA.items() if name not in ("first", "last")})
"""What rows may say beside the indicator; readers leave out the columns that their format has not."""

ROWS = pl.Schema({"line": pl.UInt32(), "value": pl.String()})
"""`line`: from 1. Every line that holds something has at least one row; `value` is null where it has nothing to offer,
and a line may offer several values."""

_COMMENT = "#"


def lines_of(text: str) -> pl.DataFrame:
    """`line`, `text`: the lines that hold something and are no comments, without blanks around."""
    return _lines(text).filter((pl.col("text") != "") & ~pl.col("text").str.starts_with(_COMMENT))


def comments_of(text: str, before: int) -> list[str]:
    """The comments before a line, without the mark."""
    lines = _lines(text).filter((pl.col("line") < before) & pl.col("text").str.starts_with(_COMMENT))
    return lines["text"].str.strip_chars_start(f"{_COMMENT} ").to_list()


def _lines(text: str) -> pl.DataFrame:
    lines = pl.DataFrame({"text": pl.Series(text.splitlines(), dtype=pl.String)}).with_row_index("line", offset=1)
    return lines.with_columns(pl.col("text").str.strip_chars())
