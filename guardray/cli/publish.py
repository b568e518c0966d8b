"""`guardray publish`: findings of the store to where they are to go, and what became of them."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from guardray.cli.messages import counted, harmless, print_json, say

if TYPE_CHECKING:
    from guardray.publish.channel import Round
    from guardray.publish.publisher import Publisher
    from guardray.store.outbox_overview import DeadLetter, DestinationStatus
    from guardray.store.outbox_register import Registered

T = TypeVar("T")

INCOMPLETE_STATUS = 3
WIDTH_WITHOUT_TERMINAL = 200


class PrintFormat(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"


app = typer.Typer(help="Findings to EventBridge, S3, SNS, SQS, Lambda, webhooks and files.", no_args_is_help=True)

StoreOption = Annotated[str, typer.Option(help="The store: a SQLite file or a PostgreSQL URL.")]
DestinationOption = Annotated[str | None, typer.Option(help="Only of this destination.")]
FormatOption = Annotated[PrintFormat, typer.Option("--format", "-f", help="How to print.")]


@app.command("run")
def run(
    store: StoreOption,
    config: Annotated[Path, typer.Option(help="Destinations, in the format of configs/publish.yaml.")],
    once: Annotated[bool, typer.Option("--once", help="Send what is due now, then end.")] = False,
) -> None:
    """Sends findings to destinations until it is stopped. With --once, exits with 3 where something failed."""
    from guardray.publish.destinations import read_destinations
    from guardray.publish.publisher import Publisher
    from guardray.store.outbox import Outbox

    destinations = read_destinations(config)
    errors = Console(stderr=True)
    failed = set[str]()

    def tell(done: Round) -> None:
        say(errors, _round_line(done), "yellow" if done.error else "")
        if done.error is not None:
            failed.add(done.destination)

    with Outbox.open(store) as outbox:
        publisher = Publisher(destinations, outbox, config.parent, on_round=tell)
        for line in _registered_lines(publisher.registered):
            say(errors, line, "yellow")
        with _stopped_by_signals(publisher):
            busy = publisher.run_once() if once else publisher.run()
        if busy:
            say(errors, f"still sending, and left alone: {', '.join(busy)}", "yellow")
        else:
            publisher.close()
    raise typer.Exit(INCOMPLETE_STATUS if (once and failed) or busy else 0)


@app.command("list")
def list_destinations(store: StoreOption, format_: FormatOption = PrintFormat.TABLE) -> None:
    """Shows the destinations: what each has had, what waits, what fails and since when."""
    from guardray.store.outbox import Outbox

    with Outbox.open(store) as outbox:
        destinations = outbox.status(datetime.now(UTC))
    _print(destinations, _status_table, format_)


@app.command("dead")
def dead(store: StoreOption, destination: DestinationOption = None, format_: FormatOption = PrintFormat.TABLE) -> None:
    """Lists dead letters: deliveries that were given up, the latest first."""
    from guardray.store.outbox import Outbox

    with Outbox.open(store) as outbox:
        letters = outbox.dead(destination)
    _print(letters, _dead_table, format_)


@app.command("replay")
def replay(
    store: StoreOption,
    destination: DestinationOption = None,
    finding: Annotated[str | None, typer.Option(help="Only of the finding with this id.")] = None,
) -> None:
    """Makes dead letters due again."""
    from guardray.store.outbox import Outbox

    with Outbox.open(store) as outbox:
        number = outbox.replay(datetime.now(UTC), destination=destination, finding_id=finding)
    say(_console(), f"{counted(number, 'dead letter')} due again")


@contextmanager
def _stopped_by_signals(publisher: Publisher) -> Iterator[None]:
    signals = (signal.SIGTERM, signal.SIGINT)
    earlier = [signal.signal(one, lambda *_: publisher.stop()) for one in signals]
    try:
        yield
    finally:
        for one, handler in zip(signals, earlier, strict=True):
            signal.signal(one, handler)


def _round_line(done: Round) -> str:
    parts = [f"{done.sent:,} sent"] if done.sent or not done.error else []
    parts += [f"{done.failed:,} failed"] if done.failed else []
    parts += [f"{done.given_up:,} given up"] if done.given_up else []
    return f"{done.destination}: {', '.join(parts)}{': ' if parts and done.error else ''}{done.error or ''}"


def _registered_lines(registered: Registered) -> Iterator[str]:
    for name, waiting in registered.dropped.items():
        yield f"{name} is no destination any more; {counted(waiting, 'finding')} that waited for it stay"
    for name, number in registered.not_sent.items():
        yield f"{name} was not told of {counted(number, 'finding')} of before: `backlog: true` sends them"


def _print(rows: Sequence[T], table: Callable[[Sequence[T]], Table], format_: PrintFormat) -> None:
    if format_ is PrintFormat.JSON:
        print_json(rows)
    else:
        _console().print(table(rows))


def _status_table(destinations: Sequence[DestinationStatus]) -> Table:
    table = _table(
        "destination", "sent", "due", "later", "dead", "last sent", "failing since", Column("error", overflow="fold")
    )
    for one in destinations:
        name = one.name if one.active else f"{one.name} (dropped)"
        numbers = (f"{number:,}" for number in (one.sent, one.due, one.later, one.dead))
        table.add_row(name, *numbers, _time(one.last_sent), _time(one.failing_since), _text(one.last_error))
    return table


def _dead_table(letters: Sequence[DeadLetter]) -> Table:
    table = _table(
        "destination", "finding", "type", "severity", "attempts", "given up", Column("error", overflow="fold")
    )
    for one in letters:
        numbers = (f"{one.severity:g}", f"{one.attempts:,}")
        table.add_row(one.destination, one.finding_id, one.type, *numbers, _time(one.dead_at), _text(one.last_error))
    return table


def _table(*columns: Column | str) -> Table:
    return Table(*columns, box=SIMPLE_HEAD, pad_edge=False, header_style="dim")


def _time(time: datetime | None) -> str:
    return "" if time is None else f"{time:%Y-%m-%d %H:%M:%S}Z"


def _text(text: str | None) -> Text:
    return Text(harmless(text or ""))


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL)
