"""Versions of models, and what differs between two, as `guardray models` shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Column, Table
from rich.text import Text

from guardray.cli.messages import harmless

if TYPE_CHECKING:
    import polars as pl

    from guardray.models.card import BackTest, Card
    from guardray.models.promotions import Promotion


def cards_table(cards: Sequence[Card], in_force: Mapping[str, str]) -> Table:
    """All versions, one a row."""
    numbers = (Column(name, justify="right") for name in ("accounts", "rows", "a week", "recall"))
    table = Table("", "family", "version", "model", "learned", *numbers, box=SIMPLE_HEAD)
    for card in cards:
        is_in_force = in_force.get(card.family) == card.version
        table.add_row(
            "*" if is_in_force else "",
            *map(_text, (card.family, card.version, card.model, f"{card.since} to {card.until}")),
            f"{card.accounts:,}",
            f"{card.rows:,}",
            *_tried(card.back_test),
            style="bold" if is_in_force else "",
        )
    table.caption = "* in force; a week: findings of an account in the back-test"
    return table


def _tried(test: BackTest | None) -> tuple[str, str]:
    if test is None:
        return "-", "-"
    return f"{test.findings_per_account_week:.2f}", "-" if test.recall is None else f"{test.recall:.0%}"


def card_page(card: Card, is_in_force: bool) -> Table:
    """All that a card tells."""
    table = Table.grid(padding=(0, 2))
    told = {
        "family": card.family,
        "version": f"{card.version}{' (in force)' if is_in_force else ''}",
        "model": card.model,
        "learned": f"{card.since} to {card.until}, {card.days:,} account days of {card.accounts:,} accounts",
        "rows": f"{card.rows:,}, of which {card.left_out:,} not learned since findings told of them",
        "budget": f"{card.budget:.2f} findings an account and week",
        "back-test": _back_test(card.back_test),
        "features": f"{len(card.features)}: {', '.join(card.features)}",
        "definition": card.definition,
        "archive": card.archive,
        "code": card.code,
        "file": f"{card.size:,} bytes, sha256 {card.sha256}",
    }
    for name, text in told.items():
        table.add_row(Text(name, style="bold"), _text(text))
    return table


def _back_test(test: BackTest | None) -> str:
    if test is None:
        return "none: too little history"
    told = f"{test.findings_per_account_week:.2f} findings an account and week in the last {test.days} days"
    if test.recall is not None:
        told += f"; {test.recall:.0%} of {test.injected} injected anomalies found"
    if test.explained is not None:
        told += f", {test.explained:.0%} of them explained by what was changed"
    return told


def promotions_table(history: Sequence[Promotion]) -> Table:
    """When which version was put in force, the latest first."""
    table = Table("in force since", "version", "before", "by", "reason", box=SIMPLE_HEAD)
    for one in reversed(history):
        table.add_row(*map(_text, (one.at, one.version, one.before or "-", one.by, one.reason)))
    return table


def changes_table(found: pl.DataFrame, base: str, other: str) -> Table:
    """What either version would tell of, one principal and day a row."""
    numbers = (Column(name, justify="right") for name in (base, other))
    table = Table("change", "day", "account", "who", *numbers, box=SIMPLE_HEAD)
    for row in found.iter_rows(named=True):
        who = ", ".join(row["whose"].split("\x1f"))
        scores = ("-" if row[name] is None else f"{row[name]:.2f}" for name in ("live", "candidate"))
        table.add_row(*map(_text, (row["change"], str(row["day"]), row["account"], who)), *scores)
    return table


def _text(value: str) -> Text:
    return Text(harmless(value))
