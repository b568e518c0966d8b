"""How many others do on a day what a row does: counted within the day, so nothing of it is kept."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from guardray.detectors.activity import Crowd
from guardray.shards.learned import looked_up

_KIND, _BELONGS, _COUNT = "_kind", "_belongs", "_count"


def with_crowd(rows: pl.DataFrame, name: str, crowd: Crowd, actors: Sequence[str]) -> list[pl.Series]:
    """The columns that `Crowd` promises for rows of one day, of which `actors` name who acts."""
    kinds = rows.with_columns(crowd.kind.alias(_KIND))
    of = (*crowd.of, _KIND)
    who = (*of, *(name for name in actors if name not in crowd.of))
    told = kinds.filter(pl.all_horizontal(pl.col(column).is_not_null() for column in crowd.value))
    by_actor = told.group_by(*who, *crowd.value).agg(crowd.where.fill_null(False).alias(_BELONGS))
    belonging = by_actor.filter(_BELONGS).group_by(*of, *crowd.value).agg(pl.len().cast(pl.Int64).alias(_COUNT))
    around = kinds.select(who).unique().group_by(of).agg(pl.len().cast(pl.Int64).alias(_COUNT))
    everyone = looked_up(kinds, belonging, (*of, *crowd.value), (_COUNT,))[_COUNT].fill_null(0)
    itself = looked_up(kinds, by_actor, (*who, *crowd.value), (_BELONGS,))[_BELONGS].fill_null(False).cast(pl.Int64)
    active = looked_up(kinds, around, of, (_COUNT,))[_COUNT].fill_null(1)
    return [(everyone - itself).alias(f"{name}_others"), (active - 1).alias(f"{name}_around")]
