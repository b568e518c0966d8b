"""Records of one layout to rows of `network_activity`."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from guardray.schema.columns import UTC_US
from guardray.schema.network_activity import SCHEMA
from guardray.sources.decoder import Decoded, Origin
from guardray.sources.normalised import conformed
from guardray.sources.vpc_flow.fields import ADDRESSES, NUMBERS, STATUS, TIMES, WORDS
from guardray.sources.vpc_flow.readings import AddressReading, NumberReading, Problems, Reading, WordReading
from guardray.sources.vpc_flow.records import Records

_ROWS_AT_ONCE = 2048
"""Text and bounds of so many records stay in a core's cache while one field after another is read: a tenth faster."""


def decoded(records: Records, offset: int, origin: Origin) -> Decoded:
    """Rows, and bad ones each with the first reason that was found. `offset` is where the text starts in the object."""
    readings = {name: _reading(records, name) for name in records.layout.positions}
    for first in range(0, len(records), _ROWS_AT_ONCE):
        for reading in readings.values():
            reading.read(first, min(first + _ROWS_AT_ONCE, len(records)))
    problems: Problems = {}
    for reading in readings.values():
        reading.finish(problems)
    has_no_traffic = _has_no_traffic(readings, len(records))
    if origin.key_time is None:
        for row in np.flatnonzero(_is_timeless(readings, len(records)) & ~has_no_traffic).tolist():
            problems.setdefault(row, "has no time")
    is_bad = np.zeros(len(records), np.bool_)
    is_bad[list(problems)] = True
    is_empty = has_no_traffic & ~is_bad
    return Decoded(
        frame=_frame(readings, ~(is_bad | is_empty), origin),
        read=len(records),
        bad=tuple(records.bad_row(row, problems[row], offset) for row in sorted(problems)),
        empty=int(is_empty.sum()),
    )


def _reading(records: Records, name: str) -> Reading:
    if name in ADDRESSES:
        return AddressReading(records, name, ADDRESSES[name])
    if name in WORDS:
        return WordReading(records, name, WORDS[name])
    return NumberReading(records, name, {**NUMBERS, **TIMES}[name])


def _is_timeless(readings: dict[str, Reading], height: int) -> NDArray[np.bool_]:
    """Whether each record has neither start nor end."""
    is_timeless = np.ones(height, np.bool_)
    for name in TIMES:
        reading = readings.get(name)
        if isinstance(reading, NumberReading):
            is_timeless &= reading.is_null
    return is_timeless


def _has_no_traffic(readings: dict[str, Reading], height: int) -> NDArray[np.bool_]:
    """Whether each record only says that there was none."""
    status = readings.get(STATUS)
    return status.is_false if isinstance(status, WordReading) else np.zeros(height, np.bool_)


def _frame(readings: dict[str, Reading], is_row: NDArray[np.bool_], origin: Origin) -> pl.DataFrame:
    read = pl.DataFrame({name: array for reading in readings.values() for name, array in reading.arrays().items()})
    columns = {name: column for reading in readings.values() for name, column in reading.columns().items()}
    times = [(columns[name] * 1_000_000).cast(UTC_US) for name in ("time", "end_time") if name in columns]
    columns["time"] = pl.coalesce(*times, pl.lit(origin.key_time, UTC_US))
    columns["end_time"] = pl.coalesce(*reversed(times), columns["time"])
    return conformed(read if is_row.all() else read.filter(pl.Series(is_row)), columns, SCHEMA, origin)
