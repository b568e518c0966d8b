"""`guardray models train`: a training now, of a service that runs or of the folder of one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from guardray.cli.messages import say
from guardray.errors import UsageError
from guardray.service.config import ServeConfig
from guardray.service.config_loading import load_config

FAILED_STATUS = 3


def train_now(
    config: Annotated[Path | None, typer.Option(help="The service's configuration, for how it trains.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the service; guardray-data if not given.")] = None,
    address: Annotated[
        str | None, typer.Option(help="Have the trainer on this Ray cluster do it (auto or HOST:PORT).")
    ] = None,
) -> None:
    """Trains models on all that the service has seen so far, whatever is due, and says what came of it.

    A service that runs takes up by itself what is put in force. One that fails changes nothing, and exits with 3.
    """
    from guardray.service.training import has_failed

    loaded = load_config(config, {"data": data}).config
    told = _here(loaded) if address is None else _on_cluster(address)
    console = Console(stderr=True)
    for line in told:
        say(console, line, "bold red" if has_failed(line) else "")
    raise typer.Exit(FAILED_STATUS if any(map(has_failed, told)) else 0)


def _here(config: ServeConfig) -> list[str]:
    from guardray.service.assembly import training_of

    folder = config.archive_folder
    if not folder.is_dir():
        raise UsageError(f"{folder}: nothing is kept there to learn from; a service with models.training does that")
    return training_of(config).run(datetime.now(UTC), is_asked=True) or [f"{folder}: no day has closed yet"]


def _on_cluster(address: str) -> list[str]:
    from guardray.runtime.cluster import cluster
    from guardray.runtime.trainer import train_now

    with cluster(address):
        return train_now()
