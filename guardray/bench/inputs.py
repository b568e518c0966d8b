"""What the benchmark reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardray.simulate.benchmark import BenchmarkSource

ROWS: dict[BenchmarkSource, int] = {
    "cloudtrail": 200_000,
    "s3": 200_000,
    "flow": 2_000_000,
    "flow-parquet": 2_000_000,
    "dns": 500_000,
}
"""Rows by source. Some seconds of work each: so long that starting costs nothing, so short that all take minutes."""
