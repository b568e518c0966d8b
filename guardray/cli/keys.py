"""`guardray keys`: who may use the API, and what they changed."""

from __future__ import annotations

import getpass
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from guardray.access.identity import Role
from guardray.cli.keys_shown import PrintFormat, show_entries, show_issued, show_keys
from guardray.errors import UsageError
from guardray.store.location import store_url

FOLDER_MODE = 0o700


app = typer.Typer(help="Keys and tokens of the API: whose they are, and what they changed.", no_args_is_help=True)

DataOption = Annotated[Path, typer.Option(help="Folder of the service: its store and its sealing key.")]
StoreOption = Annotated[str | None, typer.Option(help="The store, if not the one in the data folder.")]
KeyFileOption = Annotated[Path | None, typer.Option(help="The sealing key, if not the one in the data folder.")]
FormatOption = Annotated[PrintFormat, typer.Option("--format", "-f", help="How to print.")]

DATA_FOLDER = Path("guardray-data")


@app.command("create")
def create(
    account: Annotated[str, typer.Option(help="The account that it acts in: 12 digits.")],
    role: Annotated[Role, typer.Option(help="What it may do.")],
    region: Annotated[list[str] | None, typer.Option(help="Only this Region; may be repeated.")] = None,
    token: Annotated[bool, typer.Option("--token", help="A bearer token, for /v1 and the dashboard.")] = False,
    data: DataOption = DATA_FOLDER,
    store: StoreOption = None,
    key_file: KeyFileOption = None,
    format_: FormatOption = PrintFormat.TABLE,
) -> None:
    """Makes an access key, or a token, and shows its secret this once."""
    from guardray.access.issue import issue, seal_for
    from guardray.store.access_keys import AccessKeys

    _make_folder(data)
    with AccessKeys.open(store_url(data, store)) as keys:
        issued = issue(
            keys,
            seal_for(keys, data, key_file),
            kind="token" if token else "signing",
            account_id=account,
            role=role,
            regions=region or None,
            actor=_who(),
            now=datetime.now(UTC),
        )
    show_issued(issued, format_)


@app.command("list")
def list_keys(
    account: Annotated[str | None, typer.Option(help="Only of this account.")] = None,
    data: DataOption = DATA_FOLDER,
    store: StoreOption = None,
    key_file: KeyFileOption = None,
    format_: FormatOption = PrintFormat.TABLE,
) -> None:
    """Shows the keys and tokens: whose they are, when they were used last, and whether they are good."""
    from guardray.access.seal import read_seal
    from guardray.store.access_keys import AccessKeys

    seal = read_seal(data, key_file)
    with AccessKeys.open(_existing(data, store)) as keys:
        records = [record for record in keys.records() if account in (None, record.account_id)]
    show_keys(records, seal, format_)


@app.command("revoke")
def revoke(
    key_id: Annotated[list[str], typer.Argument(help="Ids of keys and tokens.")],
    data: DataOption = DATA_FOLDER,
    store: StoreOption = None,
) -> None:
    """Makes keys and tokens good for nothing. A service that runs refuses them within a second."""
    from guardray.access.issue import revoke as revoke_key
    from guardray.store.access_keys import AccessKeys

    with AccessKeys.open(_existing(data, store)) as keys:
        for one in key_id:
            record = revoke_key(keys, one, actor=_who(), now=datetime.now(UTC))
            typer.echo(f"{record.id} of {record.account_id} ({record.role}) is revoked")


@app.command("audit")
def audit(
    account: Annotated[str | None, typer.Option(help="Only of this account.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    data: DataOption = DATA_FOLDER,
    store: StoreOption = None,
    format_: FormatOption = PrintFormat.TABLE,
) -> None:
    """Shows what was changed, or tried, by whom: the latest first."""
    from guardray.store.access_audit import AuditLog

    with AuditLog.open(_existing(data, store)) as log:
        entries = log.entries(account_id=account, limit=limit)
    show_entries(entries, format_)


def _make_folder(data: Path) -> None:
    try:
        data.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--data {data}: {error.strerror}") from error


def _existing(data: Path, store: str | None) -> str:
    """The store, which a command that only looks does not make."""
    url = store_url(data, store)
    if store is None and not Path(url).exists():
        raise UsageError(f"{url}: there is no store yet; `guardray keys create` makes one")
    return url


def _who() -> str:
    """Who is logged in; the number where the user has no name."""
    try:
        return f"local:{getpass.getuser()}"
    except (OSError, KeyError):
        return f"local:{os.getuid()}"
