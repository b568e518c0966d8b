"""What the benchmark reads."""

from __future__ import annotations

ROWS = {"cloudtrail": 200_000, "s3-data": 200_000, "flow-text": 2_000_000, "flow-parquet": 2_000_000, "dns": 500_000}
"""Rows by source. Some seconds of work each: so long that starting costs nothing, so short that all take minutes."""
