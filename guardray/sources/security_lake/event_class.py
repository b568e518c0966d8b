"""What the OCSF classes have in common in Security Lake's files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from guardray.sources.parquet import Fields, Rules

_MILLISECOND_US = 1_000

PORTS = 65_535


@dataclass(frozen=True)
class Reading:
    """How the events of one class in one file are read.

    Attributes:
        rules: to rows.
        is_wanted: of the class's events, those that are of use here.
        more: columns made out of a piece of the file in other ways than by expressions.
    """

    rules: Rules
    is_wanted: pl.Expr = field(default_factory=lambda: pl.lit(value=True))
    more: Callable[[pl.DataFrame], pl.DataFrame] = lambda piece: pl.DataFrame(height=piece.height)


@dataclass(frozen=True)
class EventClass:
    """An OCSF class: numbers that it has had, and how to read its events in a file with these fields."""

    uids: tuple[int, ...]
    reading: Callable[[Fields], Reading]


def time(fields: Fields) -> pl.Expr:
    """When the event happened."""
    return fields.time("time", "time_dt", unit_us=_MILLISECOND_US)


def account(fields: Fields) -> pl.Expr:
    """The account that owns what the event is about; moved into an object of its own in OCSF 1.0."""
    return fields.text("cloud.account.uid", "cloud.account_uid", unmapped="recipientAccountId")


def is_outside(number: pl.Expr, most: int) -> pl.Expr:
    """Whether a number cannot be: neither null nor from 0 to `most`."""
    return ~number.is_between(0, most)


def is_denied(fields: Fields) -> pl.Expr:
    """Whether a control stopped it; null when that is not told. OCSF 1.1 has `action_id` for it, and changed the
    numbers of `disposition_id`, but not its words.
    """
    action = fields.whole("action_id")
    disposition = fields.text("disposition")
    return (
        pl.when(action.is_in((1, 2)))
        .then(action == 2)
        .when(disposition.is_in(("Allowed", "Blocked")))
        .then(disposition == "Blocked")
    )
