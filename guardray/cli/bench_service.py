"""What `guardray bench` measures of the service: at work, at rest, and its ingest workers alone."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Column, Table

from guardray.bench.inputs import ROWS
from guardray.errors import UsageError

if TYPE_CHECKING:
    from guardray.bench.at_rest import AtRest

_PREFIX = "guardray-bench-"


def bench_service(as_json: bool) -> None:
    """A service that reads, and is asked."""
    from guardray.bench.service import CALLERS, measure_service

    console = Console(stderr=True)
    with console.status("") as status, tempfile.TemporaryDirectory(prefix=_PREFIX) as folder:
        figures = measure_service(Path(folder), status.update)
    if as_json:
        typer.echo(json.dumps(asdict(figures), indent=1))
        return
    table = Table(title=f"a service that reads {figures.objects_per_s:g} objects a second", show_header=False)
    table.add_row("from nothing to ready", f"{figures.ready_s:.1f} s")
    table.add_row("from object to finding, half of them", f"{figures.p50_s:.1f} s")
    table.add_row("from object to finding, 95 of 100", f"{figures.p95_s:.1f} s")
    table.add_row(f"requests for findings, {CALLERS} callers", f"{figures.requests_per_s:,.0f}/s")
    Console().print(table)


def bench_at_rest(as_json: bool) -> None:
    """A service that has nothing to do."""
    from guardray.bench.at_rest import measure_at_rest

    console = Console(stderr=True)
    with console.status("") as status, tempfile.TemporaryDirectory(prefix=_PREFIX) as folder:
        found = measure_at_rest(Path(folder), status.update)
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=1))
        return
    Console().print(_at_rest_table(found))


def _at_rest_table(at_rest: AtRest) -> Table:
    columns = [Column(name, justify="right") for name in ("processes", "MB", "CPU seconds")]
    table = Table("part", *columns, title=f"ready after {at_rest.ready_s:.1f} s", show_footer=False)
    for part in at_rest.parts:
        table.add_row(part.name, str(part.processes), f"{part.pss_mb:,.0f}", f"{part.cpu_s:.1f}")
    table.add_section()
    totals = [sum(getattr(part, name) for part in at_rest.parts) for name in ("processes", "pss_mb", "cpu_s")]
    table.add_row("all", f"{totals[0]}", f"{totals[1]:,.0f}", f"{totals[2]:.1f}")
    return table


def bench_workers(counts_given: str, sources: Sequence[str], scale: float, as_json: bool) -> None:
    """Ingest workers alone, in these numbers."""
    from guardray.bench.indicators import million_indicators
    from guardray.bench.run import measure_workers

    counts = worker_counts(counts_given)
    console, measured = Console(stderr=True), []
    with console.status("a million indicators") as status, tempfile.TemporaryDirectory(prefix=_PREFIX) as folder:
        indicators = Path(folder) / "indicators"
        million_indicators().save(indicators)
        for name in (known for known in ROWS if known in sources):
            status.update(f"{name}: {counts_given} ingest workers")
            measured += measure_workers(
                name, Path(folder) / name, max(1, round(ROWS[name] * scale)), indicators, counts
            )
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in measured], indent=1))
        return
    columns = ("workers", "rows", "seconds", "times as fast", "CPU seconds of one", "times fewer")
    table = Table("source", *(Column(name, justify="right") for name in columns), title="ingest workers alone")
    for one in measured:
        figures = (f"{one.wall_s:.2f}", f"{one.times:.2f}", f"{one.cpu_s:.2f}", f"{one.cpu_times:.2f}")
        table.add_row(one.source, str(one.workers), f"{one.rows:,}", *figures)
    Console().print(table)


def worker_counts(given: str) -> list[int]:
    """Numbers of workers as they are given, such as `1,2`. Raises UsageError where they are none."""
    try:
        counts = [int(word) for word in given.split(",")]
    except ValueError:
        counts = []
    if not counts or min(counts) < 1 or len(set(counts)) < len(counts):
        raise UsageError(f"--ingest-workers {given!r} is no list of different numbers, such as 1,2")
    return counts
