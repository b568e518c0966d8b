"""`guardray bench`: bare decode against end to end, source by source."""

from __future__ import annotations

import json
import shlex
import tempfile
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from guardray.bench.inputs import ROWS
from guardray.cli.bench_service import bench_at_rest, bench_service, bench_workers
from guardray.cli.messages import print_json
from guardray.errors import UsageError

if TYPE_CHECKING:
    from guardray.bench.run import Measured

LARGEST_SCALE = 1000
"""Some billions of rows, which is more than a disk holds."""


class BenchEngine(StrEnum):
    """What is measured beside one process."""

    LOCAL = "local"
    RAY = "ray"


def bench(
    source: Annotated[
        list[str] | None, typer.Option(help=f"Only this source ({', '.join(ROWS)}); may be repeated.")
    ] = None,
    scale: Annotated[float, typer.Option(min=0.001, max=LARGEST_SCALE, help="Times the usual number of rows.")] = 1.0,
    engine: Annotated[
        BenchEngine, typer.Option(help="`ray` measures its engine too, with 1 and 2 ingest workers.")
    ] = BenchEngine.LOCAL,
    peer: Annotated[
        str, typer.Option(help="A command to time on the same files; {} or its end is the folder that they are in.")
    ] = "",
    state: Annotated[bool, typer.Option("--state", help="Measure what state costs instead.")] = False,
    service: Annotated[
        bool, typer.Option("--service", help="Measure a running service instead: latency to findings, and its API.")
    ] = False,
    at_rest: Annotated[
        bool, typer.Option("--at-rest", help="Measure a service that has nothing to do instead: start, memory.")
    ] = False,
    ingest_workers: Annotated[
        str, typer.Option(help="Measure so many ingest workers alone instead, such as 1,2: needs as many free cores.")
    ] = "",
    types: Annotated[bool, typer.Option("--types", help="Measure what each finding type costs instead.")] = False,
    context: Annotated[
        bool, typer.Option("--context", help="Measure without threat lists and without geography as well.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure how fast files become committed findings, beside how fast libraries decode them, on one core."""
    if state:
        _bench_state(json_)
        return
    if types:
        _bench_types(json_)
        return
    if service:
        bench_service(json_)
        return
    if at_rest:
        bench_at_rest(json_)
        return
    from guardray.bench.indicators import million_indicators
    from guardray.bench.run import as_json, measure  # the simulator is not needed by other commands

    sources = source or list(ROWS)
    if unknown := sorted(set(sources) - set(ROWS)):
        raise UsageError(f"--source {unknown[0]!r} is not one of {', '.join(ROWS)}")
    if ingest_workers:
        bench_workers(ingest_workers, sources, scale, json_)
        return
    words = _words(peer)
    console = Console(stderr=True)
    measured = []
    with console.status("") as status, tempfile.TemporaryDirectory(prefix="guardray-bench-") as folder:
        status.update("a million indicators")
        indicators = Path(folder) / "indicators"
        million_indicators().save(indicators)
        for name in (known for known in ROWS if known in sources):
            rows = max(1, round(ROWS[name] * scale))
            of_source = Path(folder) / name
            workers = (1, 2) if engine is BenchEngine.RAY else ()
            measured.append(measure(name, of_source, rows, indicators, status.update, workers, context, words))
    if json_:
        typer.echo(as_json(measured))
    else:
        Console().print(_table(measured))


def _bench_state(as_json: bool) -> None:
    from guardray.bench.state import measure_state

    figures = measure_state()
    if as_json:
        typer.echo(json.dumps(asdict(figures), indent=1))
        return
    table = Table(title=f"state of {figures.keys:,} keys, on one core", show_header=False)
    table.add_row("filling an empty table", f"{figures.filling_keys_per_s:,.0f} keys/s")
    table.add_row("upserts of known keys", f"{figures.upserts_keys_per_s:,.0f} keys/s")
    table.add_row("a key", f"{figures.bytes_per_key:.0f} bytes")
    for finding_type, size in figures.bytes_per_window.items():
        table.add_row(f"a window of {finding_type}", f"{size:.0f} bytes")
    Console().print(table)


def _bench_types(as_json: bool) -> None:
    from guardray.bench.costs import measure_costs
    from guardray.bench.indicators import million_indicators
    from guardray.detectors.loader import load_detectors

    console, detectors = Console(stderr=True), load_detectors()
    with (
        console.status("a million indicators") as status,
        tempfile.TemporaryDirectory(prefix="guardray-bench-") as folder,
    ):
        costs = measure_costs(detectors, million_indicators(), Path(folder), status.update)
    if as_json:
        print_json(costs)
        return
    table = Table(
        "finding type", "log", Column("ns a row", justify="right"), title=f"each alone, on one core ({costs.place})"
    )
    logs = {detector.finding_type: detector.source for detector in detectors}
    for finding_type, ns_per_row in costs.ns_per_row.items():
        table.add_row(finding_type, logs[finding_type], f"{ns_per_row:,.1f}")
    Console().print(table)


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--peer {command!r} is no command: {error}") from error


def _table(measured: list[Measured]) -> Table:
    table = Table(title="rows a second on one core")
    first = measured[0]
    columns = ["source", "rows", "bare decode", "end to end", "ratio", "peak memory"]
    columns += ["without lists", "nor geography"] if first.without_context_rows_per_s else []
    columns += ["peer"] if first.peer_rows_per_s else []
    columns += [f"Ray, {workers} worker{'s' * (workers > 1)}" for workers in first.ray_rows_per_s]
    for column in columns:
        table.add_column(column, justify="left" if column == "source" else "right")
    for one in measured:
        table.add_row(
            one.source,
            f"{one.rows:,}",
            f"{one.decode_rows_per_s:,.0f}",
            f"{one.end_to_end_rows_per_s:,.0f}",
            f"{one.ratio:.2f}",
            f"{one.peak_rss_mb:,.0f} MB",
            *(f"{rate:,.0f}" for rate in _others(one) if rate),
            *(f"{rate:,.0f}" for rate in one.ray_rows_per_s.values()),
        )
    return table


def _others(one: Measured) -> tuple[float | None, ...]:
    return one.without_indicators_rows_per_s, one.without_context_rows_per_s, one.peer_rows_per_s
