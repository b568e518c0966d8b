"""Numbers that say how unusual a row of an activity is: one declaration for scoring, for training and for notebooks.

A `FeatureSpec` names the rows that are worth a look at all, and turns them into numbers. Every feature is one-sided:
0 is as usual, more is more unusual. So a model needs to look at upper tails only, and what it says of a row can be told
by naming features.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, runtime_checkable

import polars as pl

from guardray.detectors.activity import Activity
from guardray.detectors.definition import text_of
from guardray.types import Row

MOST = 1e6
"""What a feature without a greatest value is cut at: counts and deviations of a day are far below."""

_IS_CANDIDATE = "_is_candidate"


@dataclass(frozen=True)
class Feature:
    """One number of a row.

    Attributes:
        name: unique within its spec.
        value: over rows as `Activity` detectors see them. Null where it is not told, which counts as nothing unusual.
        unit: what it is measured in: `bits`, `points`, `deviations`, `share`, `0 or 1`.
        least, most: its range; values beyond are cut. No `most`: there is no greatest value.
        words: what it is in a sentence, as `a country that the account hardly sees`.
        beside: what there was, and what is usual, of a row that it is told of; None: other sentences say so.
    """

    name: str
    value: pl.Expr
    unit: str
    words: str
    least: float = 0.0
    most: float | None = None
    beside: Callable[[Row], str] | None = None


@dataclass(frozen=True)
class FeatureSpec:
    """What is measured of the rows of an activity.

    Attributes:
        name: unique; names models and archives.
        activity: whose rows are measured.
        candidates: the rows that are new in any way at all, over the same columns. Only these are scored, archived and
            trained on. Null counts as false.
        whose: columns that name who acts, the account's first.
        features: what is measured, in the order of the columns.

    Raises:
        ValueError: two features of one name, or `whose` is not part of the group.
    """

    name: str
    activity: Activity
    candidates: pl.Expr
    whose: tuple[str, ...]
    features: tuple[Feature, ...]

    def __post_init__(self) -> None:
        if len(set(self.names)) < len(self.features):
            raise ValueError(f"{self.name}: two features have one name")
        if not set(self.whose) <= set(self.activity.group):
            raise ValueError(f"{self.name}: whose row it is must be columns of the group")

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names, in the order of the columns."""
        return tuple(feature.name for feature in self.features)

    @property
    def definition(self) -> str:
        """Digest of all that decides the numbers: 32 hexadecimal digits, the same in any process.

        A model of another definition would take one number for another.
        """
        numbers = [(one.name, text_of(one.value), one.least, one.most) for one in self.features]
        decisive = (
            self.name,
            self.activity.definition,
            text_of(self.activity.crowds),
            text_of(self.candidates),
            self.whose,
            numbers,
        )
        return hashlib.blake2b(repr(decisive).encode(), digest_size=16).hexdigest()

    def days_with_news(self, rows: pl.DataFrame) -> pl.DataFrame:
        """All rows of those who, on that day, have a candidate among them."""
        is_candidate = self.candidates.fill_null(False).any()
        return rows.filter(is_candidate.over(*self.whose, "window_start"))

    def measured(self, rows: pl.DataFrame, *beside: str) -> pl.DataFrame:
        """The candidates among rows, with `whose`, `window_start`, `digest` and the features: [candidates, ...].

        Args:
            rows: rows of a period as an activity's table shows them, all of each day with a candidate: some features
                look at others of the same day.
            beside: further columns to keep.
        """
        values = [_measured(feature) for feature in self.features]
        told = [name for name in (*self.whose, "window_start", "digest", *beside) if name in rows.columns]
        # Lazily, since features share most of what they compute.
        chosen = rows.lazy().select(*told, *values, self.candidates.fill_null(False).alias(_IS_CANDIDATE))
        return chosen.filter(pl.col(_IS_CANDIDATE)).drop(_IS_CANDIDATE).collect()

    def frame(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The features of rows: Float64 [n, features], no nulls, NaNs or infinities.

        Args:
            rows: what `measured` gave, or all rows of a period, of which each is measured, candidate or not.
        """
        if set(self.names) <= set(rows.columns):
            return rows.select(self.names)
        return rows.lazy().select(_measured(feature) for feature in self.features).collect()


def day_beside(level: str) -> Callable[[Row], str]:
    """How a day's number is told beside its usual ones: `412, usual 3 a day`, for `Feature.beside`."""
    return partial(_day_beside, level)


def _day_beside(level: str, row: Row) -> str:
    median = row[f"{level}_median"]
    return f"{row[f'{level}_today']:,}, usual {'none' if median is None else format(median, ',g')} a day"


def _measured(feature: Feature) -> pl.Expr:
    most = MOST if feature.most is None else feature.most
    return feature.value.cast(pl.Float64).fill_nan(None).clip(feature.least, most).fill_null(0.0).alias(feature.name)


@runtime_checkable
class Scored(Protocol):
    """A detector whose rows may be measured."""

    @property
    def spec(self) -> FeatureSpec | None: ...


def specs_of(detectors: Iterable[object]) -> tuple[FeatureSpec, ...]:
    """The specs that these detectors look at, each once, in the order of their names.

    Raises:
        ValueError: two that differ have one name.
    """
    found: dict[str, FeatureSpec] = {}
    for detector in detectors:
        spec = detector.spec if isinstance(detector, Scored) else None
        if spec is None or (known := found.setdefault(spec.name, spec)) is spec:
            continue
        if known.definition != spec.definition:
            raise ValueError(f"two different specs are named {spec.name!r}")
    return tuple(found[name] for name in sorted(found))
