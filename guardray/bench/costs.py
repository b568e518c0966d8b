"""What each finding type costs: every detector alone, over the same batches, which are decoded and enriched already."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from guardray.bench.inputs import ROWS
from guardray.bench.machine import processor_name
from guardray.context.enrich import Surroundings, enrich
from guardray.dataflow.ingest import Ingest
from guardray.dataflow.shard import Shard
from guardray.detectors.costs import MeasuredCosts
from guardray.detectors.declare import Detector
from guardray.geo.geography import Geography
from guardray.intel.store import IndicatorStore
from guardray.schema import EventSchema
from guardray.simulate.benchmark import BenchmarkSource, benchmark_input
from guardray.sources.objects import KeyFilter, locate
from guardray.sources.reader import Batch, Limits, Reader

SEED, RUNS = 1, 3
SHARE_OF_ROWS = 0.25
"""Of the benchmark's rows: each detector runs over them some times, and a cost per row needs no more."""

_READ_BY: dict[str, BenchmarkSource] = {
    "cloudtrail-management": "cloudtrail",
    "cloudtrail-s3": "s3",
    "vpc-flow": "flow",
    "dns": "dns",
}


def measure_costs(
    detectors: Sequence[Detector],
    indicators: IndicatorStore,
    folder: Path,
    told: Callable[[str], None],
    scale: float = SHARE_OF_ROWS,
) -> MeasuredCosts:
    """The cost of each detector, dearest first.

    Args:
        detectors: what is measured.
        indicators: lists that rows are enriched with.
        folder: where the input goes.
        told: hears what is being done.
        scale: times the benchmark's usual number of rows.
    """
    costs: dict[str, float] = {}
    for source, name in _READ_BY.items():
        mine = [detector for detector in detectors if detector.source == source]
        if not mine:
            continue
        told(f"{name}: writing and decoding rows")
        benchmark_input(folder / name, name, round(ROWS[name] * scale), SEED)
        batches = _enriched(folder / name, indicators)
        rows = sum(frame.height for _, frame in batches)
        for detector in mine:
            told(f"{name}: {detector.finding_type}")
            seconds = _seconds(detector, batches, indicators)
            costs[detector.finding_type] = round(seconds / rows * 1e9, 1)
    return MeasuredCosts(
        processor=processor_name(),
        measured_on=datetime.now(UTC).date(),
        ns_per_row=dict(sorted(costs.items(), key=lambda cost: -cost[1])),
    )


def _enriched(folder: Path, indicators: IndicatorStore) -> list[tuple[EventSchema, pl.DataFrame]]:
    geography = Geography.load()
    return [(batch.schema, enrich(batch.frame, batch.schema, indicators, geography)) for batch in _batches(folder)]


def _batches(folder: Path) -> Iterator[Batch]:
    files = [str(path) for path in sorted(folder.rglob("*")) if path.is_file()]
    return (item for item in Reader(Limits()).read(locate(files, KeyFilter())) if isinstance(item, Batch))


def _seconds(
    detector: Detector, batches: Sequence[tuple[EventSchema, pl.DataFrame]], indicators: IndicatorStore
) -> float:
    """The median of some runs, after one that compiles what is compiled when it is first used."""
    return statistics.median([_run(detector, batches, indicators) for _ in range(RUNS + 1)][1:])


def _run(detector: Detector, batches: Sequence[tuple[EventSchema, pl.DataFrame]], indicators: IndicatorStore) -> float:
    ingest, shard = Ingest([detector], Surroundings(indicators), _all_new), Shard([detector])
    begin = time.process_time()
    for schema, frame in batches:
        ingest.on_enriched(schema, frame, indicators)
    shard.merge(ingest.drain())
    shard.finish()
    return time.process_time() - begin


def _all_new(hashes: np.ndarray, times: np.ndarray) -> np.ndarray:
    return np.ones(len(hashes), dtype=bool)
