"""`guardray status`: how the service stands, from what it wrote down itself."""

from __future__ import annotations

import sys
from dataclasses import fields
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from guardray.cli.messages import print_json
from guardray.cli.standing import look
from guardray.cli.state import DATA_FOLDER, WIDTH_WITHOUT_TERMINAL, DataOption, PrintFormat, StoreOption, existing_store
from guardray.cli.status_shown import show

NOT_READY_STATUS = 1


def status_command(
    data: DataOption = DATA_FOLDER,
    store: StoreOption = None,
    format_: Annotated[PrintFormat, typer.Option("--format", "-f", help="How to print.")] = PrintFormat.TABLE,
) -> None:
    """Shows how the service stands: sources and their lag, epochs, checkpoints, state, destinations, problems.

    Exits with 0 while it runs and takes work, and with 1 when it does not: it was stopped, is starting or ending, or
    nothing was heard of it for 15 seconds.
    """
    standing = look(existing_store(data, store), datetime.now(UTC))
    if format_ is PrintFormat.JSON:
        told = {field.name: getattr(standing, field.name) for field in fields(standing)}
        print_json({"ready": standing.reason is None, **told})
    else:
        show(standing, Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL))
    raise typer.Exit(0 if standing.reason is None else NOT_READY_STATUS)
