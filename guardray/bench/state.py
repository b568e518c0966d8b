"""What state costs: upserts a second into the keyed table, and bytes for each window that a detector keeps."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl

from guardray.dataflow.windowing import WindowCounter
from guardray.detectors.declare import WindowDetector
from guardray.detectors.loader import load_detectors
from guardray.schema.columns import UTC_US
from guardray.shards.keyed_table import KeyedTable

KEYS = 5_000_000
BATCH = 1_000_000
ENTITIES = 1_000_000
SEED = 1


@dataclass(frozen=True)
class StateFigures:
    """Rates in keys a second on one core; sizes in bytes, spare room included.

    `filling` starts from an empty table, `upserts` finds each key once more in random order.
    """

    keys: int
    filling_keys_per_s: float
    upserts_keys_per_s: float
    bytes_per_key: float
    bytes_per_window: dict[str, float]


def measure_state() -> StateFigures:
    """Takes some seconds and half a gigabyte."""
    rng = np.random.default_rng(SEED)
    keys = rng.integers(0, 2**64, KEYS, dtype=np.uint64)
    KeyedTable().upsert(keys[:1000])
    table = KeyedTable()
    filling = _seconds(table, keys)
    upserts = _seconds(table, rng.permutation(keys))
    return StateFigures(
        keys=KEYS,
        filling_keys_per_s=KEYS / filling,
        upserts_keys_per_s=KEYS / upserts,
        bytes_per_key=table.nbytes / KEYS,
        bytes_per_window={d.finding_type: _window_bytes(d) for d in load_detectors() if isinstance(d, WindowDetector)},
    )


def _seconds(table: KeyedTable, keys: np.ndarray) -> float:
    started = time.perf_counter()
    for first in range(0, len(keys), BATCH):
        table.upsert(keys[first : first + BATCH])
    return time.perf_counter() - started


def _window_bytes(detector: WindowDetector) -> float:
    """Bytes of a window when a million interfaces have one each."""
    counter = WindowCounter(detector)
    columns = {name: pl.repeat(1, ENTITIES, eager=True) for name in (*detector.key, *detector.measured_columns)}
    times = pl.repeat(datetime(2026, 1, 1, tzinfo=UTC), ENTITIES, dtype=UTC_US, eager=True)
    frame = pl.DataFrame({**columns, "time": times, "end_time": times})
    counter.count(frame, pl.repeat(True, ENTITIES, eager=True), np.arange(ENTITIES, dtype=np.uint64))
    return counter.table.nbytes / len(counter.table)
