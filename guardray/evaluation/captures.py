"""Flows that were captured on real networks, moved to days of an account.

Captures are short, an hour or a day. The first half of one, as a whole, is each of the days to learn from; the other
half is cut into as many pieces as there are days to judge. So what hosts do on a day that is learned is as much as it
was, and what is judged was not learned. What the captures are is said by whoever has them; they are no part of this
project.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from guardray.context.flow_columns import EPHEMERAL_FROM
from guardray.errors import UsageError

FIRST_DAY = datetime(2026, 1, 5, tzinfo=UTC)
"""A Monday; which one is of no matter."""

DAY_S = 86_400

HOUR = timedelta(hours=9)
"""Of the day at which what is moved to one day begins."""

_KEPT = ("interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes", "start", "end")
_TOLD = (*_KEPT, "action", "tcp-flags", "flow-direction")
_STEP = 1009
"""By which clients' ports differ from one day to the next: odd, so that any share of them is met on some day."""

_SAME = {"version": "5", "account-id": "111122223333", "log-status": "OK"}


def as_days(path: Path, learned: int, judged: int) -> pl.DataFrame:
    """The first half of a capture on each of the first days, then the other in pieces of equal length, one a day."""
    records = read(path)
    first, last = int(records["start"].min()), int(records["end"].max())  # type: ignore[arg-type]
    half = min((last - first) // 2 + 1, DAY_S)
    length = min((last - first - half) // judged + 1, DAY_S)
    whole = records.filter(pl.col("start") < first + half)
    days = [_moved(_with_other_ports(whole, day), first, day) for day in range(learned)]
    begins = [first + half + piece * length for piece in range(judged)]
    pieces = [records.filter(pl.col("start").is_between(at, at + length, closed="left")) for at in begins]
    return pl.concat(days + [_moved(piece, begins[at], learned + at) for at, piece in enumerate(pieces)])


def _moved(records: pl.DataFrame, begins: int, day: int) -> pl.DataFrame:
    """What begins at a time, in seconds, begins at midnight of a day."""
    by = int((FIRST_DAY + timedelta(days=day)).timestamp()) - begins
    return records.with_columns(pl.col("start") + by, pl.col("end") + by)


def _with_other_ports(records: pl.DataFrame, day: int) -> pl.DataFrame:
    """The ports of clients as on another day: some connections are looked at by their client's port alone."""
    return records.with_columns(_other_port(name, day) for name in ("srcport", "dstport"))


def _other_port(name: str, day: int) -> pl.Expr:
    number = pl.col(name).cast(pl.Int64, strict=False)
    other = EPHEMERAL_FROM + (number - EPHEMERAL_FROM + day * _STEP) % (1 << 15)
    is_client = number >= EPHEMERAL_FROM
    return pl.when(is_client).then(other.cast(pl.String)).otherwise(name).alias(name)


def on_day(path: Path, day: int) -> pl.DataFrame:
    """The records of a capture, all on one day, as they followed each other."""
    records = read(path)
    begins = FIRST_DAY + timedelta(days=day) + HOUR
    by = int(begins.timestamp()) - int(records["start"].min())  # type: ignore[arg-type]
    return records.with_columns(pl.col("start") + by, pl.col("end") + by)


def read(path: Path) -> pl.DataFrame:
    """The records of a flow log, packed or not: text, and `start` and `end` in seconds.

    They have the fields that detectors look at, of hosts that are told by their interface.

    Raises:
        UsageError: it cannot be read, or lacks a field.
    """
    try:
        records = pl.read_csv(path, separator=" ", infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UsageError(f"{path}: it is no flow log with a header: {error}") from error
    if missing := [name for name in _KEPT if name not in records.columns]:
        raise UsageError(f"{path}: its header lacks {', '.join(missing)}")
    told = [pl.col(name) if name in records.columns else pl.lit("-").alias(name) for name in _TOLD]
    seconds = pl.col("start", "end").cast(pl.Int64, strict=False)
    kept = records.select(told).with_columns(seconds).drop_nulls(["start", "end"])
    if kept.is_empty():
        raise UsageError(f"{path}: none of its records has a start and an end")
    return kept


def write(records: pl.DataFrame, file: Path) -> None:
    """Write them as a flow log, all of one account."""
    same = [pl.lit(value).alias(name) for name, value in _SAME.items()]
    records.with_columns(same).write_csv(file, separator=" ")
