"""What people said of findings, as training takes it.

Rows of a finding that was useful are never learned. Those of one that was not, or that was archived, are learned like
any other, and thresholds are drawn above them as far as that goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from guardray.detectors.features import FeatureSpec
from guardray.models.archive import JOINT

USEFUL, NOT_USEFUL = "useful", "not_useful"


@dataclass(frozen=True)
class Mark:
    """What was said of a finding.

    Attributes:
        account: of the finding.
        whose: who acted, as the archive names it: the values of the spec's `whose` after the account's.
        first, last: days of the events that it tells of, both included.
        is_useful: whether it was; False also for findings that were archived.
    """

    account: str
    whose: str
    first: date
    last: date
    is_useful: bool


def whose_of(spec: FeatureSpec, row: Mapping[str, str | None]) -> str:
    """Who acted in a row, as the archive names it."""
    return JOINT.join(row[name] or "" for name in spec.whose[1:])


def marked(rows: pl.DataFrame, marks: Iterable[Mark]) -> pl.DataFrame:
    """Rows of the archive with `useful` and `not_useful` (Boolean): what was said of findings about them.

    Where both were said, the finding was useful.
    """
    said = pl.DataFrame(
        [(mark.account, mark.whose, mark.first, mark.last, mark.is_useful) for mark in marks],
        schema={"account": pl.String, "whose": pl.String, "first": pl.Date, "last": pl.Date, USEFUL: pl.Boolean},
        orient="row",
    )
    days = said.with_columns(pl.date_ranges("first", "last").alias("day")).explode("day")
    by_day = days.group_by("account", "whose", "day").agg(pl.col(USEFUL).any())
    joined = rows.join(by_day, on=["account", "whose", "day"], how="left", maintain_order="left")
    return joined.with_columns(pl.col(USEFUL).fill_null(False), (~pl.col(USEFUL)).fill_null(False).alias(NOT_USEFUL))
