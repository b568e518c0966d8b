"""Benchmark input has the rows that were asked for, real cardinalities and bounded memory."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from guardray.errors import UsageError
from guardray.simulate import benchmark_input


def test_management_events_come_five_hundred_a_file(tmp_path: Path) -> None:
    done = benchmark_input(tmp_path, "cloudtrail", 1200, 1)
    sizes = [len(json.loads(gzip.decompress(path.read_bytes()))["Records"]) for path in sorted(tmp_path.rglob("*.gz"))]
    assert sorted(sizes) == [200, 500, 500]
    assert (done.rows, done.files) == (1200, 3)
    assert done.size == sum(path.stat().st_size for path in tmp_path.rglob("*.gz"))


def test_object_events_are_data_events(tmp_path: Path) -> None:
    benchmark_input(tmp_path, "s3", 300, 1)
    (path,) = tmp_path.rglob("*.gz")
    events = json.loads(gzip.decompress(path.read_bytes()))["Records"]
    assert {event["eventCategory"] for event in events} == {"Data"}
    assert len({event["requestParameters"].get("key") for event in events}) > 200


def test_flow_text_has_many_remotes_and_interfaces(tmp_path: Path) -> None:
    """50,000 remote addresses a million records are 10,000 for 200,000; nine in ten of them occur."""
    done = benchmark_input(tmp_path, "flow", 200_000, 1, interfaces=500)
    assert (done.rows, done.files) == (200_000, 2)
    frame = pl.concat([pl.read_csv(path.read_bytes(), separator=" ") for path in tmp_path.rglob("*.gz")])
    assert len(frame) == 200_000
    assert frame["interface-id"].n_unique() == 500
    remote = frame.filter(~pl.col("srcaddr").str.starts_with("10."))["srcaddr"].n_unique()
    assert 9_000 <= remote <= 10_000


def test_flow_parquet_has_the_same_number_of_rows(tmp_path: Path) -> None:
    benchmark_input(tmp_path, "flow-parquet", 5_000, 1, interfaces=50)
    (path,) = tmp_path.rglob("*.parquet")
    assert len(pl.read_parquet(path, hive_partitioning=False)) == 5_000


def test_queries_are_json_lines(tmp_path: Path) -> None:
    benchmark_input(tmp_path, "dns", 3_000, 1, interfaces=50)
    lines = [
        json.loads(line) for path in tmp_path.rglob("*.gz") for line in gzip.decompress(path.read_bytes()).splitlines()
    ]
    assert len(lines) == 3_000
    assert len({line["srcids"]["instance"] for line in lines}) == 50


def test_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        benchmark_input(tmp_path / name, "cloudtrail", 600, 9)
    contents = [
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.gz")}
        for name in ("one", "two")
    ]
    assert contents[0] == contents[1]


@pytest.mark.parametrize(("source", "rows"), [("rds", 10), ("flow", 0)])
def test_wrong_arguments_are_named(tmp_path: Path, source: str, rows: int) -> None:
    with pytest.raises(UsageError):
        benchmark_input(tmp_path, source, rows, 1)  # type: ignore[arg-type]


def test_memory_does_not_grow_with_rows(tmp_path: Path) -> None:
    """Peak memory of a process of its own, after 300,000 flow records and after 1,500,000."""
    script = (
        "import resource, sys; from pathlib import Path; from guardray.simulate import benchmark_input\n"
        "for rows in (300_000, 1_500_000):\n"
        "    benchmark_input(Path(sys.argv[1]) / str(rows), 'flow', rows, 1)\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    few, many = map(int, done.stdout.split())
    assert many - few < 80, f"{few} MB, then {many} MB"
