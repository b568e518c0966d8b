"""Keeping the table of values in step with findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from guardray.store.bulk import among, delete_rows, insert_rows
from guardray.store.criteria.tokens import tokens_of
from guardray.store.index_schema import FINDING_TERMS, FINDING_VALUES

Json = Mapping[str, Any]

_COLUMNS = ("term", "finding")


def note_values(connection: Connection, changes: Iterable[tuple[int, Json | None, Json | None]]) -> None:
    """Bring the values of findings up to date, in the open transaction.

    Args:
        changes: the number of each finding, and GuardDuty's JSON of it before, null where it is new, and now, null
            where it is deleted.
    """
    gone: list[tuple[str, int]] = []
    come: list[tuple[str, int]] = []
    for number, before, now in changes:
        old = set() if before is None else tokens_of(before)
        new = set() if now is None else tokens_of(now)
        gone += ((term, number) for term in old - new)
        come += ((term, number) for term in new - old)
    numbers = _numbers(connection, {term for term, _ in gone})
    delete_rows(connection, FINDING_VALUES, _COLUMNS, _numbered(gone, numbers))
    numbers = _numbers(connection, {term for term, _ in come})
    numbers |= _new_numbers(connection, sorted({term for term, _ in come if term not in numbers}))
    insert_rows(connection, FINDING_VALUES, _COLUMNS, _numbered(come, numbers))


def _numbered(rows: Iterable[tuple[str, int]], numbers: Mapping[str, int]) -> list[tuple[int, int]]:
    """In the order of the primary key: neighbours go to the same page."""
    return sorted((numbers[term], number) for term, number in rows if term in numbers)


def _numbers(connection: Connection, terms: Iterable[str]) -> dict[str, int]:
    listed = sorted(terms)
    if not listed:
        return {}
    query = select(FINDING_TERMS.c.term, FINDING_TERMS.c.number)
    rows = connection.execute(query.where(among(connection, FINDING_TERMS.c.term, listed)))
    return {row.term: row.number for row in rows}


def _new_numbers(connection: Connection, terms: Sequence[str]) -> dict[str, int]:
    if not terms:
        return {}
    last = connection.scalar(select(func.max(FINDING_TERMS.c.number))) or 0
    numbers = {term: last + place for place, term in enumerate(terms, start=1)}
    insert_rows(connection, FINDING_TERMS, ("number", "term"), [(number, term) for term, number in numbers.items()])
    return numbers
