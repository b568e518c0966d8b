"""How the service stands, as `guardray status` shows it to people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.table import Column, Table
from rich.text import Text

from guardray.cli.messages import counted, harmless

if TYPE_CHECKING:
    from guardray.cli.standing import Standing
    from guardray.service.status import KnownProblem, ServiceStatus
    from guardray.store.outbox_overview import DestinationStatus

LABEL_WIDTH = 12

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def show(standing: Standing, console: Console) -> None:
    """Print the picture."""
    for part in _parts(standing):
        if isinstance(part, Table):
            console.print()
        console.print(part, soft_wrap=isinstance(part, Text))


def _parts(standing: Standing) -> Iterator[RenderableType]:
    yield from (_line(label, told) for label, told in _headline(standing))
    status = standing.status
    if status is not None:
        yield from (_line(label, told) for label, told in _lines(status, standing.now))
        if status.sources:
            yield _sources(status)
        if status.pools:
            yield _pools(status)
    if standing.destinations:
        yield _destinations(standing.destinations, standing.now)
    if status is not None and status.problems:
        yield _problems(status.problems, standing.now)


def _headline(standing: Standing) -> Iterator[tuple[str, str]]:
    status, holder = standing.status, standing.holder
    version = f" {status.version}" if status is not None and status.version else ""
    yield (
        "guardray",
        f"{'ready' if standing.reason is None else f'not ready: {standing.reason}'}{version and ','}{version}",
    )
    if holder is not None:
        heard, since = _ago(standing.now, holder.heard_at), span(standing.now - holder.since)
        yield "process", f"{holder.name} for {since}, heard of {heard} (fence {holder.fence})"
    if status is not None:
        yield "as of", f"{_time(status.told_at)}, {_ago(standing.now, status.told_at)}"
    damaged = [one for one in standing.checkpoints if one.damage is not None]
    if damaged:
        yield "damaged", f"{counted(len(damaged), 'checkpoint')}, see `guardray state list`"


def _lines(status: ServiceStatus, now: datetime) -> Iterator[tuple[str, str]]:
    epoch, checkpoint, latency, counts = status.epoch, status.checkpoint, status.latency, status.counts
    if epoch is not None:
        yield "epoch", f"{epoch.number:,}, {_ago(now, epoch.committed_at)}"
    if checkpoint is not None:
        size = f"{size_text(checkpoint.bytes)} in {checkpoint.seconds:.2f} s"
        yield "checkpoint", f"{checkpoint.number:,} of epoch {checkpoint.epoch:,}, {_ago(now, checkpoint.at)}, {size}"
    if status.watermark is not None:
        yield "event time", f"{_time(status.watermark)}, {span(now - status.watermark)} behind"
    if latency is not None:
        told = f"half within {latency.p50_s:.1f} s, 95 % within {latency.p95_s:.1f} s"
        yield "to finding", f"{told} (the latest {counted(latency.objects, 'object')})"
    if status.ingest is not None:
        yield "ingest", f"{status.ingest.busy} of {counted(status.ingest.workers, 'worker')} busy"
    if status.shards:
        yield "state", _state(status)
    yield "read", f"{_rows(counts.rows)} in {counted(counts.objects, 'object')}, {size_text(counts.bytes)}"
    yield "left out", f"{counts.set_aside:,} set aside, {counts.late:,} late, {counts.duplicates:,} seen before"
    yield (
        "findings",
        f"{counts.findings_created:,} new, {counts.findings_updated:,} seen again, {status.pending:,} open",
    )
    if counts.evicted or counts.restarts:
        yield "lost", f"{counted(counts.evicted, 'row')} of state evicted, {counted(counts.restarts, 'restart')}"
    if counts.replaced:
        yield "replaced", f"{counted(counts.replaced, 'ingest worker')} that took too much memory"


def _state(status: ServiceStatus) -> str:
    rows = [one.rows for one in status.shards]
    sizes = [one.bytes for one in status.shards if one.bytes is not None]
    size = f", {size_text(sum(sizes))}" if len(sizes) == len(rows) else ""
    most = f", {max(rows):,} in the largest" if len(rows) > 1 else ""
    return f"{counted(sum(rows), 'row')} in {counted(len(rows), 'shard')}{size}{most}"


def _rows(rows: dict[str, int]) -> str:
    kinds = ", ".join(f"{number:,} {kind}" for kind, number in sorted(rows.items()))
    return f"{counted(sum(rows.values()), 'row')}{f' ({kinds})' if len(rows) > 1 else ''}"


def _sources(status: ServiceStatus) -> Table:
    table = _table(Column("source", overflow="fold"), _right("not done"), _right("oldest"), _right("problems"))
    for one in status.sources:
        oldest = "" if one.oldest_s is None else span(timedelta(seconds=one.oldest_s))
        table.add_row(_text(one.name), f"{one.backlog:,}", oldest, f"{one.problems:,}")
    return table


def _pools(status: ServiceStatus) -> Table:
    table = _table("pool", _right("replicas"), _right("wanted"), _right("waiting"))
    for one in status.pools:
        table.add_row(_text(one.name), f"{one.replicas:,}", f"{one.wanted:,}", f"{one.waiting:,}")
    return table


def _destinations(destinations: Sequence[DestinationStatus], now: datetime) -> Table:
    columns = ("sent", "due", "later", "dead", "last sent")
    table = _table("destination", *map(_right, columns), Column("error", overflow="fold"))
    for one in destinations:
        numbers = (f"{number:,}" for number in (one.sent, one.due, one.later, one.dead))
        last = "" if one.last_sent is None else _ago(now, one.last_sent)
        name = one.name if one.active else f"{one.name} (dropped)"
        table.add_row(_text(name), *numbers, last, _text(one.last_error or ""))
    return table


def _problems(problems: Sequence[KnownProblem], now: datetime) -> Table:
    table = _table(Column("problem", overflow="fold"), _right("times"), _right("first"))
    for one in problems:
        table.add_row(_text(one.text), f"{one.count:,}", _ago(now, one.since))
    return table


def _line(label: str, told: str) -> Text:
    return Text.assemble((label.ljust(LABEL_WIDTH), "dim"), harmless(told))


def _table(*columns: Column | str) -> Table:
    return Table(*columns, box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")


def _right(name: str) -> Column:
    return Column(name, justify="right")


def _text(text: str) -> Text:
    return Text(harmless(text))


def _time(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}Z"


def _ago(now: datetime, time: datetime) -> str:
    return f"{span(now - time)} ago"


def span(time: timedelta) -> str:
    """A time in its greatest unit and the next: `2 d 3 h`, and `1 min 15 s` for 75 seconds."""
    rest = max(0, round(time.total_seconds()))
    first = next((index for index, (_, length) in enumerate(_UNITS) if rest >= length), len(_UNITS) - 1)
    parts = []
    for unit, length in _UNITS[first : first + 2]:
        number, rest = divmod(rest, length)
        parts += [f"{number:,} {unit}"] if number else []
    return " ".join(parts) or "0 s"


def size_text(size: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1_000:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1_000
    return f"{size:,.1f} TB"
