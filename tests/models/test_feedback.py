"""What people said of findings, beside the rows of the archive."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
from models.specs import ACCOUNT, FIRST, OTHER

from guardray.models.feedback import Mark, marked

ROWS = pl.DataFrame(
    [(account, who, FIRST + timedelta(days=at)) for account in (ACCOUNT, OTHER) for who in "ab" for at in range(4)],
    schema=["account", "whose", "day"],
    orient="row",
)


def days(rows: pl.DataFrame, column: str) -> list[tuple[str, str, int]]:
    return [(account, who, (day - FIRST).days) for account, who, day in rows.filter(column).select(ROWS.columns).rows()]


def test_a_mark_holds_for_one_account_one_principal_and_its_days():
    found = marked(ROWS, [Mark(ACCOUNT, "a", FIRST + timedelta(days=1), FIRST + timedelta(days=2), True)])
    assert days(found, "useful") == [(ACCOUNT, "a", 1), (ACCOUNT, "a", 2)]
    assert days(found, "not_useful") == []


def test_what_was_useful_once_is_not_learned_whatever_else_was_said():
    marks = [Mark(OTHER, "b", FIRST, FIRST, False), Mark(OTHER, "b", FIRST, FIRST + timedelta(days=1), True)]
    found = marked(ROWS, marks)
    assert days(found, "useful") == [(OTHER, "b", 0), (OTHER, "b", 1)]
    assert days(found, "not_useful") == []


def test_rows_keep_their_order_and_without_marks_nothing_was_said():
    found = marked(ROWS, [])
    assert found.select(ROWS.columns).equals(ROWS)
    assert not found["useful"].any()
    assert not found["not_useful"].any()
