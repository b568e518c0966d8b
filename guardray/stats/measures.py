"""What a window may measure, as a declaration: each names the summary and the column that feeds it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Count:
    """Rows. int64."""


@dataclass(frozen=True)
class Sum:
    """Sum of an integer column; null adds nothing. int64."""

    column: str


@dataclass(frozen=True)
class Min:
    """Least value of an integer column. int64."""

    column: str


@dataclass(frozen=True)
class Max:
    """Greatest value of an integer column. int64."""

    column: str


@dataclass(frozen=True)
class Distinct:
    """Estimated count of distinct values by linear counting over a bitmap: only grows, exact to some 5 % below `bits`.

    Source: Whang, Vander-Zanden and Taylor 1990, A linear-time probabilistic counting algorithm.
    """

    column: str
    bits: int = 512


@dataclass(frozen=True)
class Latest:
    """Value of an integer column in the row with the greatest time (ties: the greatest value). int64."""

    column: str


Measure = Count | Sum | Min | Max | Distinct | Latest
