"""Ingest workers are timed alone, in any number, on the same rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardray.cli.bench_service import worker_counts
from guardray.dataflow.scan import ScanSettings
from guardray.detectors.loader import load_detectors
from guardray.errors import UsageError
from guardray.intel.store import IndicatorStore
from guardray.runtime.workers_alone import seconds_by_workers
from guardray.simulate.benchmark import benchmark_input
from guardray.sources.objects import locate


@pytest.mark.ray
def test_one_and_two_workers_read_the_same_rows(ray_cluster: None, tmp_path: Path):
    written = benchmark_input(tmp_path, "dns", 2_000, seed=1)
    settings = ScanSettings(detectors=load_detectors(), indicators=IndicatorStore())
    one, two = seconds_by_workers(settings, locate([str(tmp_path)], settings.key_filter), [1, 2], runs=1)
    assert (one["workers"], two["workers"]) == (1, 2)
    assert one["rows"] == two["rows"] == written.rows
    assert min(figure[name] for figure in (one, two) for name in ("wall_s", "cpu_s")) > 0


@pytest.mark.parametrize("given", ["", "one", "1,1", "0,2", "1,,2"])
def test_what_is_no_list_of_numbers_is_refused(given: str):
    with pytest.raises(UsageError, match="--ingest-workers"):
        worker_counts(given)


def test_numbers_of_workers_are_taken_in_their_order():
    assert worker_counts("1,2,4") == [1, 2, 4]
