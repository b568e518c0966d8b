"""Options that several commands have, spelled and explained once."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

LATENESS_MAX_H = 366 * 24


class EngineName(StrEnum):
    """Where a scan runs."""

    AUTO = "auto"
    LOCAL = "local"
    RAY = "ray"


Sources = Annotated[list[str], typer.Argument(help="Files, folders, s3://bucket/prefix, or - for standard input.")]
EngineOption = Annotated[EngineName, typer.Option(help="auto takes Ray for large inputs.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Ingest workers of the Ray engine.")]
Address = Annotated[str | None, typer.Option(help="A running Ray cluster: auto or HOST:PORT.")]
Since = Annotated[datetime | None, typer.Option(help="Only events from this time on (UTC).")]
Until = Annotated[datetime | None, typer.Option(help="Only events before this time (UTC).")]
AccountOption = Annotated[list[str] | None, typer.Option(help="Only this account; may be repeated.")]
RegionOption = Annotated[list[str] | None, typer.Option(help="Only this Region; may be repeated.")]
Intel = Annotated[Path | None, typer.Option(help="Threat feeds, in the format of configs/intel.yaml.")]
ThreatLists = Annotated[list[Path] | None, typer.Option(help="A custom threat list; may be repeated.")]
TrustedLists = Annotated[
    list[Path] | None, typer.Option(help="Addresses and domains that nothing is found on; may be repeated.")
]
Offline = Annotated[bool, typer.Option("--offline", help="Fetch no feed; take those that were fetched before.")]
InventoryFiles = Annotated[
    list[Path] | None,
    typer.Option(help="What EC2 says of interfaces and instances: JSON, a file or a folder; may be repeated."),
]
Geo = Annotated[
    list[Path] | None, typer.Option(help="A MaxMind database to prefer to the built-in one; may be repeated.")
]
AwsRanges = Annotated[Path | None, typer.Option(help="AWS's ip-ranges.json, to tell its addresses by.")]
Lateness = Annotated[
    float, typer.Option(min=0, max=LATENESS_MAX_H, help="Hours that an event may be older than its file's date.")
]
S3Endpoint = Annotated[str | None, typer.Option(help="URL of an S3-compatible store.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show tracebacks.")]
