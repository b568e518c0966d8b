"""One measurement in a process of its own, so that its peak memory is its own: prints JSON.

python -m guardray.bench.child bare SOURCE FOLDER
python -m guardray.bench.child scan SOURCE FOLDER CONTEXT [INDICATORS]
python -m guardray.bench.child ray SOURCE FOLDER WORKERS INDICATORS
python -m guardray.bench.child workers SOURCE FOLDER WORKERS,WORKERS... RUNS INDICATORS

CONTEXT is `none`, `geography` or `all`; INDICATORS is the folder of a saved store.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from guardray.dataflow.report import report
from guardray.dataflow.scan import Engine, Observer, ScanSettings
from guardray.detectors.loader import load_detectors
from guardray.geo.geography import Geography
from guardray.intel.store import IndicatorStore
from guardray.sources.objects import locate
from guardray.store.findings import FindingStore

WARM_UP_FILES = 1


def main(arguments: list[str]) -> None:
    """Measures and prints JSON: an object, of `workers` a list of them."""
    kind, source, folder, *rest = arguments
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    if kind == "workers":
        counts, runs, store_folder = rest
        print(json.dumps(_workers(files, [int(count) for count in counts.split(",")], int(runs), store_folder)))
        return
    if kind == "bare":
        result = _bare(source, files)
    elif kind == "scan":
        context, *store = rest
        result = _scan(files, _settings(context, *store))
    else:
        result = _ray(files, int(rest[0]), _settings("all", rest[1]))
    result["peak_rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(result))


def _timed(work: Callable[[], int]) -> dict[str, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    rows = work()
    return {"rows": rows, "wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}


def _bare(source: str, files: list[Path]) -> dict[str, float]:
    import pyarrow as pa

    from guardray.bench.bare import CANDIDATES

    pa.set_cpu_count(1)
    measured = []
    for decode in CANDIDATES[source]:
        decode(files[:WARM_UP_FILES])
        measured.append(_timed(lambda decode=decode: decode(files)))  # type: ignore[misc]
    return min(measured, key=lambda result: result["wall_s"])


def _scan(files: list[Path], settings: ScanSettings) -> dict[str, float]:
    from guardray.dataflow.local import LocalEngine

    _committed(LocalEngine(settings), settings, files[:WARM_UP_FILES])
    return _timed(lambda: _committed(LocalEngine(settings), settings, files))


def _ray(files: list[Path], workers: int, settings: ScanSettings) -> dict[str, float]:
    from guardray.runtime.cluster import cluster
    from guardray.runtime.engine import RayEngine

    with cluster(cpus=workers):
        engine = RayEngine(settings, workers=workers)
        _committed(engine, settings, files[:WARM_UP_FILES])
        return _timed(lambda: _committed(engine, settings, files))


def _workers(files: list[Path], counts: list[int], runs: int, indicators: str) -> list[dict[str, float]]:
    from guardray.runtime.workers_alone import seconds_by_workers

    settings = _settings("all", indicators)
    objects = locate([str(file) for file in files], settings.key_filter)
    return seconds_by_workers(settings, objects, counts, runs)


def _settings(context: str, store: str | None = None) -> ScanSettings:
    return ScanSettings(
        detectors=load_detectors(),
        indicators=IndicatorStore() if store is None else IndicatorStore.open(Path(store)),
        geography=None if context == "none" else Geography.load(),
    )


def _committed(engine: Engine, settings: ScanSettings, files: Sequence[Path]) -> int:
    """Files to committed findings. Returns the rows that were read."""
    objects = locate([str(file) for file in files], settings.key_filter)
    result = engine.scan(objects, Observer())
    findings, _ = report(result, settings, datetime.now(UTC))
    with tempfile.TemporaryDirectory() as folder, FindingStore.open(f"{folder}/findings.sqlite") as store:
        store.commit(findings, epoch="benchmark", now=datetime.now(UTC))
    return result.counts.read


if __name__ == "__main__":
    main(sys.argv[1:])
