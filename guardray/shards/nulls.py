"""Integer columns with nulls, between polars and NumPy, where a masked array says which values are unknown."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray


def to_numpy(series: pl.Series) -> NDArray[Any]:
    """The integers of a column, of its own width; a masked array where it has nulls."""
    if not series.null_count():
        return series.to_numpy()
    return np.ma.MaskedArray(series.fill_null(0).to_numpy(), series.is_null().to_numpy())


def to_series(name: str, values: NDArray[Any]) -> pl.Series:
    """The column of these values, null where they are masked."""
    if not isinstance(values, np.ma.MaskedArray):
        return pl.Series(name, values)
    series = pl.Series(name, values.data)
    return series.set(pl.Series(np.ma.getmaskarray(values)), None)
