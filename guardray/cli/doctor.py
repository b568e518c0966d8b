"""`guardray doctor`: looks at the machine and the configuration, and says what to mend."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from guardray.cli.checks import Check, Status
from guardray.cli.checks.cluster import check_ray
from guardray.cli.checks.database import check_service, check_store
from guardray.cli.checks.geo import check_geography
from guardray.cli.checks.inputs import check_source
from guardray.cli.checks.intel import check_intel
from guardray.cli.checks.machine import (
    check_clock,
    check_compiled_code,
    check_cores,
    check_memory,
    check_shared_memory,
    check_state_folder,
)
from guardray.cli.checks.packages import check_packages, check_python
from guardray.cli.messages import harmless, print_json

FAILED_STATUS = 2
WIDTH_WITHOUT_TERMINAL = 160

_STYLES: dict[Status, str] = {"ok": "green", "warn": "yellow", "fail": "bold red"}


class DoctorFormat(StrEnum):
    """How the checks are printed."""

    TABLE = "table"
    JSON = "json"


def doctor(
    sources: Annotated[list[str] | None, typer.Argument(help="Sources that you mean to scan.")] = None,
    store: Annotated[str | None, typer.Option(help="The findings store: a SQLite file or a PostgreSQL URL.")] = None,
    s3_endpoint: Annotated[str | None, typer.Option(help="URL of an S3-compatible store.")] = None,
    state: Annotated[Path, typer.Option(help="Folder for lists, and for rows that are set aside.")] = Path(
        "guardray-data"
    ),
    intel: Annotated[Path | None, typer.Option(help="Threat feeds, in the format of configs/intel.yaml.")] = None,
    ray: Annotated[bool, typer.Option("--ray", help="Start Ray, or join it, and run a task.")] = False,
    address: Annotated[str | None, typer.Option(help="A running Ray cluster: auto or HOST:PORT.")] = None,
    format_: Annotated[DoctorFormat, typer.Option("--format", "-f", help="How to print.")] = DoctorFormat.TABLE,
) -> None:
    """Checks the machine, the sources, the store and Ray, and says what to mend. Exits with 2 where something fails."""
    checks = [*_machine(state), *_configuration(sources or (), s3_endpoint, store), *check_intel(intel, state)]
    checks.append(check_ray(run_task=ray or address is not None, address=address))
    if format_ is DoctorFormat.JSON:
        print_json(checks)
    else:
        Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL).print(_table(checks))
    raise typer.Exit(FAILED_STATUS if any(check.status == "fail" for check in checks) else 0)


def _machine(state: Path) -> Iterator[Check]:
    yield check_python()
    yield check_packages()
    yield check_cores()
    yield check_memory()
    yield check_shared_memory()
    yield check_state_folder(state)
    yield check_compiled_code()
    yield check_clock()
    yield check_geography()


def _configuration(sources: Sequence[str], s3_endpoint: str | None, store: str | None) -> Iterator[Check]:
    for source in sources:
        yield check_source(source, s3_endpoint)
    if store is not None:
        yield check_store(store)
        yield from check_service(store)


def _table(checks: Sequence[Check]) -> Table:
    table = Table(
        "",
        Column("Checked", overflow="fold"),
        Column("Found", overflow="fold"),
        Column("To mend it", overflow="fold"),
        box=SIMPLE_HEAD,
        pad_edge=False,
        header_style="dim",
    )
    for check in checks:
        status = Text(check.status, style=_STYLES[check.status])
        found, mend = Text(harmless(check.found)), Text(harmless(check.mend or ""))
        table.add_row(status, Text(harmless(check.subject), style="bold"), found, mend)
    return table
