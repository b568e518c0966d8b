"""Keys, tokens and the audit log as `guardray keys` shows them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from guardray.cli.messages import harmless, print_json

if TYPE_CHECKING:
    from guardray.access.issue import Issued
    from guardray.access.seal import Seal
    from guardray.store.access_audit import AuditEntry
    from guardray.store.access_keys import KeyRecord

WIDTH_WITHOUT_TERMINAL = 200

# Widths from which each thing has a column of its own; below, ids would be cut.
_KEYS_FROM = 130
_ENTRIES_FROM = 160


class PrintFormat(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"


def show_issued(issued: Issued, format_: PrintFormat) -> None:
    """A new key with its secret, in the words of AWS's own JSON."""
    record = issued.record
    names = ("AccessKeyId", "SecretAccessKey") if record.kind == "signing" else ("TokenId", "Token")
    shown = {names[0]: record.id, names[1]: issued.secret, "AccountId": record.account_id, "Role": record.role}
    if format_ is PrintFormat.JSON:
        print_json(shown)
        return
    for name, value in shown.items():
        typer.echo(f"{name:<16} {value}")
    typer.echo("This is the only time that the secret is shown.", err=True)


def show_keys(records: Sequence[KeyRecord], seal: Seal | None, format_: PrintFormat) -> None:
    """Keys without their secrets, and whether they are good under this sealing key."""
    rows = [_record_json(record, seal) for record in records]
    if format_ is PrintFormat.JSON:
        print_json(rows)
    else:
        console = _console()
        console.print(_keys_table(rows) if console.width >= _KEYS_FROM else _narrow_keys_table(rows))


def show_entries(entries: Sequence[AuditEntry], format_: PrintFormat) -> None:
    """Entries of the audit log."""
    if format_ is PrintFormat.JSON:
        print_json([asdict(entry) for entry in entries])
        return
    console = _console()
    if console.width >= _ENTRIES_FROM:
        console.print(_audit_table(entries))
        return
    for entry in entries:
        console.print(_entry_lines(entry), soft_wrap=True)


def _record_json(record: KeyRecord, seal: Seal | None) -> dict[str, Any]:
    return {
        "id": record.id,
        "kind": record.kind,
        "account_id": record.account_id,
        "role": record.role,
        "regions": None if record.regions is None else sorted(record.regions),
        "created_at": record.created_at,
        "last_used_at": record.last_used_at,
        "state": _state(record, seal),
    }


def _state(record: KeyRecord, seal: Seal | None) -> str:
    if record.revoked_at is not None:
        return "revoked"
    return "active" if seal is not None and seal.name == record.sealed_by else "sealing key missing"


def _keys_table(rows: Sequence[dict[str, Any]]) -> Table:
    table = _table("id", "kind", "account", "role", "Regions", "created", "last used", "state")
    for row in rows:
        regions = "all" if row["regions"] is None else " ".join(row["regions"])
        times = (_time(row["created_at"]), _time(row["last_used_at"]))
        table.add_row(row["id"], row["kind"], row["account_id"], row["role"], regions, *times, row["state"])
    return table


def _narrow_keys_table(rows: Sequence[dict[str, Any]]) -> Table:
    """The same with two things in a cell, one below the other."""
    fixed = (Column("id, account", no_wrap=True), Column("role, kind", no_wrap=True))
    table = _table(*fixed, Column("Regions", overflow="fold"), Column("created, last used", no_wrap=True), "state")
    for row in rows:
        regions = "all" if row["regions"] is None else "\n".join(row["regions"])
        times = f"{_time(row['created_at'])}\n{_time(row['last_used_at']) or 'never'}"
        who, what = f"{row['id']}\n{row['account_id']}", f"{row['role']}\n{row['kind']}"
        table.add_row(who, what, regions, times, row["state"])
    return table


def _entry_lines(entry: AuditEntry) -> Text:
    """An entry over three lines: what was done, by whom, and with which parameters."""
    where = " ".join(filter(None, (entry.account_id, entry.region)))
    return Text.assemble(
        (f"{_time(entry.time)}  ", "dim"),
        (harmless(entry.operation), "bold"),
        f"  {harmless(entry.outcome)}\n  {harmless(entry.actor)} in {harmless(where)}\n",
        (f"  {harmless(entry.parameters)}", "dim"),
    )


def _audit_table(entries: Sequence[AuditEntry]) -> Table:
    table = _table("time", "actor", "account", "Region", "operation", "outcome", Column("parameters", overflow="fold"))
    for one in entries:
        texts = (one.actor, one.account_id, one.region or "", one.operation, one.outcome, one.parameters)
        table.add_row(_time(one.time), *(Text(harmless(text)) for text in texts))
    return table


def _table(*columns: Column | str) -> Table:
    return Table(*columns, box=SIMPLE_HEAD, pad_edge=False, header_style="dim")


def _time(time: datetime | None) -> str:
    return "" if time is None else f"{time:%Y-%m-%d %H:%M:%S}Z"


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL)
