"""What models say of the rows of an activity, and what they are to learn from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from guardray.detectors.features import FeatureSpec
from guardray.models.scorer import COLUMNS, Scorer

_AT = "_at"

DAY, FIRED = "day", "fired"
"""Columns of what is kept for training: the day (Date), and whether a detector told of the row (Boolean)."""


class Scoring:
    """One spec and the models.

    Args:
        spec: what is measured.
        scorer: the models; None: there are none.
    """

    def __init__(self, spec: FeatureSpec, scorer: Scorer | None) -> None:
        self.spec = spec
        self._scorer = scorer

    def scored(self, rows: pl.DataFrame) -> pl.DataFrame:
        """All rows of a period with `anomaly` and `contributions`, which are null where nothing is new.

        Only the few rows reach a model that have something new, since a model costs more than all else.
        """
        if self._scorer is None or rows.is_empty():
            return rows.with_columns(pl.lit(None, kind).alias(name) for name, kind in COLUMNS.items())
        numbered = rows.with_row_index(_AT)
        measured = self.spec.measured(numbered, _AT)
        scores = self._scorer.score(self.spec, measured.drop(_AT)).with_columns(measured[_AT])
        return numbered.join(scores, on=_AT, how="left", maintain_order="left").drop(_AT)


class FeatureRows:
    """What was measured on days that are over, until somebody takes it."""

    def __init__(self) -> None:
        self._parts: dict[str, list[pl.DataFrame]] = {}

    def add(self, spec: FeatureSpec, rows: pl.DataFrame, flagged: pl.Series) -> None:
        """Measures the candidates among all rows of a day.

        Args:
            flagged: which of the rows a detector told of: Boolean [n].
        """
        measured = spec.measured(rows.with_columns(flagged.alias(FIRED)), FIRED)
        if measured.height:
            day = pl.col("window_start").dt.date().alias(DAY)
            self._parts.setdefault(spec.name, []).append(measured.with_columns(day).drop("window_start"))

    def drain(self) -> Mapping[str, pl.DataFrame]:
        """All since the last call, by spec: `whose`, `digest`, `fired`, the features and `day`, [n, ...]."""
        parts, self._parts = self._parts, {}
        return {name: pl.concat(frames) for name, frames in parts.items()}


def together(parts: Iterable[Mapping[str, pl.DataFrame]]) -> Mapping[str, pl.DataFrame]:
    """What several shards drained, as one."""
    by_name: dict[str, list[pl.DataFrame]] = {}
    for part in parts:
        for name, frame in part.items():
            by_name.setdefault(name, []).append(frame)
    return {name: pl.concat(frames) for name, frames in by_name.items()}
