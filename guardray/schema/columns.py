"""How a normalised schema is declared: one `Column` a line, with its description."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import polars as pl


@dataclass(frozen=True)
class Column:
    """A column of a normalised batch. `ocsf` is the attribute path when it is not the name with dots."""

    name: str
    dtype: pl.DataType
    description: str
    ocsf: str | None = None


@dataclass(frozen=True)
class EventSchema:
    """The contract between sources, detectors and tests for one OCSF event class.

    Compare with `==`: what travels between processes arrives as a copy.
    """

    name: str
    class_uid: int
    columns: tuple[Column, ...]

    @cached_property
    def polars(self) -> pl.Schema:
        return pl.Schema({column.name: column.dtype for column in self.columns})

    def frame(self, rows: Iterable[dict[str, object]] = ()) -> pl.DataFrame:
        """A batch of these rows; columns that a row leaves out are null. Raises on a name that is not a column."""
        rows = list(rows)
        unknown = {name for row in rows for name in row} - set(self.polars)
        if unknown:
            raise KeyError(f"{self.name} has no columns {sorted(unknown)}")
        return pl.DataFrame(rows, schema=self.polars, orient="row") if rows else self.polars.to_frame()


UTC_US = pl.Datetime("us", "UTC")
