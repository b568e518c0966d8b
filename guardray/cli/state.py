"""`guardray state`: the checkpoints that the service goes on from."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from guardray.cli.messages import counted, harmless, print_json, say
from guardray.errors import StateError, UsageError
from guardray.store.location import store_url

if TYPE_CHECKING:
    from guardray.checkpoints.manifest import Manifest
    from guardray.checkpoints.place import Place
    from guardray.store.checkpoint_register import RegisteredCheckpoint

DAMAGED_STATUS = 3
DATA_FOLDER = Path("guardray-data")
WIDTH_WITHOUT_TERMINAL = 200


class PrintFormat(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"


app = typer.Typer(help="Checkpoints of the service: list, export, begin anew.", no_args_is_help=True)

DataOption = Annotated[Path, typer.Option(help="Folder of the service.")]
StoreOption = Annotated[str | None, typer.Option(help="The store, if not the one in the data folder.")]
CheckpointsOption = Annotated[
    str | None, typer.Option(help="Folder or s3://bucket/prefix of checkpoints, if not the one in the data folder.")
]


@dataclass(frozen=True)
class Line:
    """What is told of a checkpoint. `shards` and `tables` are null where its manifest cannot be read."""

    number: int
    epoch: int
    created_at: datetime
    bytes: int
    shards: int | None
    tables: int | None
    guardray: str | None
    damage: str | None


@app.command("list")
def list_checkpoints(
    data: DataOption = DATA_FOLDER,
    store: StoreOption = None,
    checkpoints: CheckpointsOption = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read all files, and exit with 3 if one is damaged.")
    ] = False,
    format_: Annotated[PrintFormat, typer.Option("--format", "-f", help="How to print.")] = PrintFormat.TABLE,
) -> None:
    """Lists the checkpoints, newest first: of which epoch, how large, and what is wrong with them."""
    from guardray.checkpoints.location import checkpoints_url
    from guardray.checkpoints.place import Place

    place = Place(checkpoints_url(data, checkpoints))
    lines = [_line(place, one, verify) for one in _registered(data, store)]
    if format_ is PrintFormat.JSON:
        print_json(lines)
    elif lines:
        _console().print(_table(lines, verify))
    else:
        say(_console(), "no checkpoint yet: the service makes one every half minute or so once it has read something")
    raise typer.Exit(DAMAGED_STATUS if verify and any(line.damage for line in lines) else 0)


@app.command("export")
def export_checkpoint(
    output: Annotated[Path, typer.Argument(help="A folder that is not there yet, or empty.")],
    number: Annotated[int | None, typer.Option(help="Of the checkpoint, as `list` shows it; the newest.")] = None,
    data: DataOption = DATA_FOLDER,
    store: StoreOption = None,
    checkpoints: CheckpointsOption = None,
) -> None:
    """Writes the tables of a checkpoint as Parquet files."""
    from guardray.checkpoints.checkpoints import read_manifest
    from guardray.checkpoints.export import export
    from guardray.checkpoints.location import checkpoints_url
    from guardray.checkpoints.place import Place

    url = checkpoints_url(data, checkpoints)
    chosen = _chosen(_registered(data, store), number)
    files = export(url, read_manifest(Place(url), chosen), output)
    say(_console(), f"{counted(len(files), 'table')} of checkpoint {chosen.number} in {output}")


@app.command("reset")
def reset(
    data: DataOption = DATA_FOLDER,
    store: StoreOption = None,
    checkpoints: CheckpointsOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this, what would be lost is said.")] = False,
) -> None:
    """Forgets all checkpoints, so that the service begins anew. Findings stay.

    Open windows, what is usual and the positions of sources are lost. Objects that sources still offer are read again,
    and what is found in them is counted again.
    """
    from guardray.checkpoints.cleaning import delete_all
    from guardray.checkpoints.location import checkpoints_url
    from guardray.checkpoints.place import Place
    from guardray.store.service import ServiceStore

    found = _registered(data, store)
    if not yes:
        raise UsageError(
            f"reset forgets {counted(len(found), 'checkpoint')}: open windows, what is usual, and how far sources were"
            " read, so that objects still there are counted again; findings stay. Add --yes to do it"
        )
    place = Place(checkpoints_url(data, checkpoints))
    with ServiceStore.open(existing_store(data, store)) as service:
        forgotten = service.reset(datetime.now(UTC))
    files = delete_all(place)
    taken = f"{counted(forgotten.checkpoints, 'checkpoint')} and {counted(forgotten.epochs, 'epoch')} forgotten"
    say(_console(), f"{taken}, {counted(files, 'file')} deleted")


def _registered(data: Path, store: str | None) -> Sequence[RegisteredCheckpoint]:
    from guardray.store.service import ServiceStore

    with ServiceStore.open(existing_store(data, store), migrate=False) as service:
        return service.checkpoints.all()


def existing_store(data: Path, store: str | None) -> str:
    """The store, which is not made for looking at it. Raises UsageError where a file is meant that is not there."""
    url = store_url(data, store)
    path = url.removeprefix("sqlite:///")
    if "://" not in path and not Path(path).exists():
        raise UsageError(f"{path}: there is no store, so no service has run with it (--data or --store)")
    return url


def _chosen(registered: Sequence[RegisteredCheckpoint], number: int | None) -> RegisteredCheckpoint:
    if not registered:
        raise UsageError("there is no checkpoint yet")
    numbers = {one.number: one for one in registered}
    wanted = registered[0].number if number is None else number
    if wanted not in numbers:
        raise UsageError(f"--number: there is no checkpoint {wanted}, only {', '.join(map(str, sorted(numbers)))}")
    return numbers[wanted]


def _line(place: Place, registered: RegisteredCheckpoint, verify: bool) -> Line:
    manifest, damage = _looked_at(place, registered, verify)
    return Line(
        number=registered.number,
        epoch=registered.epoch,
        created_at=registered.created_at,
        bytes=registered.bytes,
        shards=None if manifest is None else manifest.shards,
        tables=None if manifest is None else sum(len(part.tables) for part in manifest.parts),
        guardray=None if manifest is None else manifest.guardray,
        damage=registered.damage or damage,
    )


def _looked_at(place: Place, registered: RegisteredCheckpoint, verify: bool) -> tuple[Manifest | None, str | None]:
    """The manifest if it can be read, and what is wrong."""
    from guardray.checkpoints.checkpoints import read_manifest
    from guardray.checkpoints.parts import check_files

    manifest = None
    try:
        manifest = read_manifest(place, registered)
        if verify:
            check_files(place, manifest)
    except StateError as error:
        return manifest, str(error)
    return manifest, None


def _table(lines: Sequence[Line], verified: bool) -> Table:
    number, epoch, size, shards = (
        Column(name, justify="right", no_wrap=True) for name in ("checkpoint", "epoch", "bytes", "shards")
    )
    columns = (number, epoch, Column("time", no_wrap=True), size, shards, "guardray")
    condition = Column("condition", overflow="fold")
    table = Table(*columns, condition, box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_edge=False)
    for line in lines:
        good = "sound" if verified else "not read (--verify)"
        known = ("?" if value is None else str(value) for value in (line.shards, line.guardray))
        time = f"{line.created_at:%Y-%m-%d %H:%M:%S}Z"
        told = Text(harmless(line.damage)) if line.damage else Text(good)
        table.add_row(str(line.number), str(line.epoch), time, f"{line.bytes:,}", *known, told)
    return table


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL)
