"""Which categories domain names have, for whole columns: those of every listed domain they are or sit under."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class DomainIndex:
    """Category masks of listed domains: a frame of `domain` (distinct) and `mask` (UInt64)."""

    listed: pl.DataFrame

    @classmethod
    def build(cls, domains: pl.DataFrame) -> DomainIndex:
        """From a frame of `domain` and `mask`, in which a domain may stand several times."""
        return cls(domains.group_by("domain").agg(pl.col("mask").bitwise_or()))

    def masks_of(self, names: pl.Series) -> pl.Series:
        """UInt64 [n]: the categories of lower-case names; null has none. Each distinct name is looked up once."""
        distinct = names.unique().drop_nulls().cast(pl.String).alias("name").to_frame()
        hits = _suffixes(distinct).join(self.listed, left_on="suffix", right_on="domain", how="inner")
        masks = hits.group_by("name").agg(pl.col("mask").bitwise_or())
        column = names.cast(pl.String).alias("name").to_frame()
        return column.join(masks, on="name", how="left", maintain_order="left")["mask"].fill_null(0)


def suffixes(name: str) -> list[str]:
    """The name and all its parents, longest first."""
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]


def _suffixes(names: pl.DataFrame) -> pl.DataFrame:
    """A row for each of the names and each of its suffixes of two labels or more: `name`, `suffix`."""
    level = names.select("name", suffix="name").filter(pl.col("suffix").str.contains(".", literal=True))
    levels = [level]
    while level.height:
        parent = pl.col("suffix").str.splitn(".", 2).struct.field("field_1")
        level = level.with_columns(suffix=parent).filter(pl.col("suffix").str.contains(".", literal=True))
        levels.append(level)
    return pl.concat(levels)
