"""Findings as pandas frames, for notebooks: what there is, and what appears or vanishes with a change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from guardray.findings.sighting import Sighting, SightingFold

if TYPE_CHECKING:
    import pandas as pd

KEY = ("account", "type", "entity")

_COLUMNS: dict[str, type[pl.DataType] | pl.DataType] = {
    "account": pl.String,
    "type": pl.String,
    "entity": pl.String,
    "count": pl.Int64,
    "first_seen": pl.Datetime("us", "UTC"),
    "last_seen": pl.Datetime("us", "UTC"),
}


def findings(sightings: Sequence[Sighting]) -> pd.DataFrame:
    """One row a finding, in the order of account, type and entity: with how often it was seen, first and last."""
    return _folded(sightings).to_pandas()


def compared(before: Sequence[Sighting], after: Sequence[Sighting]) -> pd.DataFrame:
    """Findings of both, each with a column `change`: `appears`, `vanishes` or `stays`."""
    old, new = _folded(before), _folded(after)
    gone = old.join(new, on=KEY, how="anti").with_columns(change=pl.lit("vanishes"))
    known = old.select(KEY).with_columns(is_old=pl.lit(True))
    change = pl.when("is_old").then(pl.lit("stays")).otherwise(pl.lit("appears"))
    there = new.join(known, on=KEY, how="left").with_columns(change=change).drop("is_old")
    return pl.concat([gone, there]).sort(KEY).to_pandas()


def _folded(sightings: Sequence[Sighting]) -> pl.DataFrame:
    fold = SightingFold()
    for one in sightings:
        fold.add(one)
    rows = [
        (one.key.account_id, one.key.finding_type, one.key.entity, one.count, one.first_seen, one.last_seen)
        for one in fold.sightings()
    ]
    return pl.DataFrame(rows, schema=_COLUMNS, orient="row").sort(KEY)
