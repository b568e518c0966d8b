"""Options that several commands have, spelled and explained once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

LATENESS_MAX_H = 366 * 24

EVENTS = "Which events"
KNOWN = "What is known"
RUNNING = "Where it runs"
FINDINGS = "Findings"


class EngineName(StrEnum):
    """Where a scan runs."""

    AUTO = "auto"
    LOCAL = "local"
    RAY = "ray"


Sources = Annotated[list[str], typer.Argument(help="Files, folders, s3://bucket/prefix, or - for standard input.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show tracebacks.")]
DetectionsOption = Annotated[
    list[Path] | None,
    typer.Option(
        help="Detections of your own: a folder, a file, or a list of such as configs/detections.yaml; may be repeated.",
        rich_help_panel=KNOWN,
    ),
]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What every command that reads logs can be told: which events, what is known beforehand, and where it runs."""

    since: Annotated[
        datetime | None, typer.Option(help="Only events from this time on (UTC).", rich_help_panel=EVENTS)
    ] = None
    until: Annotated[
        datetime | None, typer.Option(help="Only events before this time (UTC).", rich_help_panel=EVENTS)
    ] = None
    account: Annotated[
        list[str] | None, typer.Option(help="Only this account; may be repeated.", rich_help_panel=EVENTS)
    ] = None
    region: Annotated[
        list[str] | None, typer.Option(help="Only this Region; may be repeated.", rich_help_panel=EVENTS)
    ] = None
    lateness: Annotated[
        float,
        typer.Option(
            min=0,
            max=LATENESS_MAX_H,
            help="Hours that an event may be older than its file's date.",
            rich_help_panel=EVENTS,
        ),
    ] = 1
    intel: Annotated[
        Path | None, typer.Option(help="Threat feeds, in the format of configs/intel.yaml.", rich_help_panel=KNOWN)
    ] = None
    threat_list: Annotated[
        list[Path] | None, typer.Option(help="A custom threat list; may be repeated.", rich_help_panel=KNOWN)
    ] = None
    trusted_list: Annotated[
        list[Path] | None,
        typer.Option(help="Addresses and domains that nothing is found on; may be repeated.", rich_help_panel=KNOWN),
    ] = None
    offline: Annotated[
        bool,
        typer.Option("--offline", help="Fetch no feed; take those that were fetched before.", rich_help_panel=KNOWN),
    ] = False
    inventory: Annotated[
        list[Path] | None,
        typer.Option(
            help="What EC2 says of interfaces and instances: JSON, a file or a folder; may be repeated.",
            rich_help_panel=KNOWN,
        ),
    ] = None
    geo: Annotated[
        list[Path] | None,
        typer.Option(help="A MaxMind database to prefer to the built-in one; may be repeated.", rich_help_panel=KNOWN),
    ] = None
    aws_ranges: Annotated[
        Path | None, typer.Option(help="AWS's ip-ranges.json, to tell its addresses by.", rich_help_panel=KNOWN)
    ] = None
    detections: DetectionsOption = None
    engine: Annotated[EngineName, typer.Option(help="auto takes Ray for large inputs.", rich_help_panel=RUNNING)] = (
        EngineName.AUTO
    )
    workers: Annotated[
        int | None, typer.Option(min=1, help="Ingest workers of the Ray engine.", rich_help_panel=RUNNING)
    ] = None
    address: Annotated[
        str | None, typer.Option(help="A running Ray cluster: auto or HOST:PORT.", rich_help_panel=RUNNING)
    ] = None
    s3_endpoint: Annotated[str | None, typer.Option(help="URL of an S3-compatible store.", rich_help_panel=RUNNING)] = (
        None
    )
    state: Annotated[
        Path, typer.Option(help="Folder for lists, and rows that are set aside.", rich_help_panel=RUNNING)
    ] = Path("guardray-data")
