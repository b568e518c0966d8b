"""From a measure as declared to the summary that holds it, and how rows feed it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from guardray.stats import measures, scalars
from guardray.stats.bitmap import Bitmap
from guardray.stats.measures import Measure
from guardray.stats.summary import Summary


def summary_of(measure: Measure) -> Summary:
    """An empty summary for the measure."""
    match measure:
        case measures.Count():
            return scalars.Count()
        case measures.Sum():
            return scalars.Sum()
        case measures.Min():
            return scalars.Min()
        case measures.Max():
            return scalars.Max()
        case measures.Latest():
            return scalars.Latest()
        case measures.Distinct(bits=bits):
            return Bitmap(bits)


def observe(summary: Summary, rows: NDArray[np.int64], times: NDArray[np.int64], values: NDArray[Any] | None) -> None:
    """Feed a summary of `summary_of` with values and their times, both [n]; masked values are passed over.

    A count takes no values: None.
    """
    if isinstance(summary, scalars.Count):
        summary.update(rows)
        return
    assert values is not None, "only a count takes no values"
    if isinstance(values, np.ma.MaskedArray):
        present = ~np.ma.getmaskarray(values)
        rows, times, values = rows[present], times[present], values.data[present]
    if isinstance(summary, scalars.Latest):
        summary.update(rows, times, values)
    else:
        assert isinstance(summary, scalars.Sum | scalars.Min | scalars.Max | Bitmap)
        summary.update(rows, values)
