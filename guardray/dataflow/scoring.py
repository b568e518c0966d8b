"""What models say of the rows of an activity, and what they are to learn from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from guardray.detectors.features import FeatureSpec
from guardray.models.scorer import COLUMNS, NO_MODELS, Scorer

AT = "_at"
"""The column that numbers the rows of a period."""

FLAGGED = "flagged"
"""In what is kept for training, the column of whether a detector told of the row (Boolean)."""


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
        """The days of whoever did anything new, with `anomaly` and `contributions`, null where a row has nothing new.

        Only the few rows reach a model that have something new, since a model costs more than all else.

        Args:
            rows: all rows of a period, numbered by `AT`.
        """
        news = self.spec.days_with_news(rows)
        if self._scorer is None or self._scorer.version == NO_MODELS or news.is_empty():
            return news.with_columns(pl.lit(None, kind).alias(name) for name, kind in COLUMNS.items())
        measured = self.spec.measured(news, AT)
        scores = self._scorer.score(self.spec, measured.drop(AT)).with_columns(measured[AT])
        return news.join(scores, on=AT, how="left", maintain_order="left")


class FeatureRows:
    """What was measured on days that are over, until somebody takes it."""

    def __init__(self) -> None:
        self._parts: dict[str, list[pl.DataFrame]] = {}

    def add(self, spec: FeatureSpec, rows: pl.DataFrame, flagged: pl.Series) -> None:
        """Measures the candidates among rows of a day.

        Args:
            rows: at least `FeatureSpec.days_with_news` of them.
            flagged: which of the rows a detector told of: Boolean [n].
        """
        measured = spec.measured(rows.with_columns(flagged.alias(FLAGGED)), FLAGGED)
        if measured.height:
            self._parts.setdefault(spec.name, []).append(measured)

    def drain(self) -> Mapping[str, pl.DataFrame]:
        """All since the last call, by spec: what `FeatureSpec.measured` gives and `flagged`, days whole."""
        parts, self._parts = self._parts, {}
        return {name: pl.concat(frames) for name, frames in parts.items()}


def together(parts: Iterable[Mapping[str, pl.DataFrame]]) -> Mapping[str, pl.DataFrame]:
    """What several shards drained, as one."""
    by_name: dict[str, list[pl.DataFrame]] = {}
    for part in parts:
        for name, frame in part.items():
            by_name.setdefault(name, []).append(frame)
    return {name: pl.concat(frames) for name, frames in by_name.items()}
