"""Findings that are shown before they are complete."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from guardray.findings.finding import Finding
from guardray.store.database import Database
from guardray.store.folding import fold
from guardray.store.marking import archive
from guardray.store.open_parts import close_all, fold_open
from guardray.store.schema import EVIDENCE, FINDINGS
from guardray.store.search import Scope
from guardray.store.service_schema import OPEN_PARTS
from tests.finding_examples import NOW, ssh_brute_force

EARLY, LATE, LATER = (ssh_brute_force(seconds=seconds) for seconds in (100, 200, 300))
ID = EARLY.id


class Shown:
    """A store, and what everybody sees in it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def fold(self, final: Iterable[Finding] = (), opened: Iterable[Finding] = (), is_open: bool = True):
        with self._database.writing() as connection:
            return fold_open(connection, final, opened, {ID} if is_open else (), NOW)

    def counted(self, *findings: Finding) -> None:
        with self._database.writing() as connection:
            fold(connection, findings)

    def close_all(self) -> None:
        with self._database.writing() as connection:
            close_all(connection)

    def archive(self) -> None:
        with self._database.writing() as connection:
            archive(connection, Scope(), [ID], NOW)

    def __call__(self) -> list[tuple[object, ...]]:
        with self._database.reading() as connection:
            findings = connection.execute(select(FINDINGS.c.json)).all()
            evidence = connection.execute(select(EVIDENCE).order_by(EVIDENCE.c.time)).all()
        return [tuple(row) for row in (*findings, *evidence)]

    def parts(self) -> int:
        with self._database.reading() as connection:
            return len(connection.execute(select(OPEN_PARTS)).all())

    def count(self) -> int:
        with self._database.reading() as connection:
            return connection.scalar(select(FINDINGS.c.count))


@pytest.fixture
def shown(store_url: str) -> Iterator[Shown]:
    with closing(Database(store_url)) as database:
        yield Shown(database)


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Shown]:
    with closing(Database(str(tmp_path / "plain.db"))) as database:
        yield Shown(database)


def test_an_open_part_is_shown_at_once_and_replaced_by_the_next(shown, plain):
    assert shown.fold(opened=[EARLY]) == (1, 0)
    assert shown.fold(opened=[EARLY.merge(LATE)]) == (0, 1)
    plain.counted(replace(EARLY.merge(LATE), created_at=NOW, updated_at=NOW))
    assert shown() == plain()


def test_what_is_final_at_last_is_as_if_nothing_had_been_shown_before(shown, plain):
    shown.fold(opened=[EARLY])
    shown.fold(final=[EARLY], opened=[LATE])
    shown.fold(opened=[LATE.merge(LATER)])
    shown.fold(final=[LATE.merge(LATER)], is_open=False)
    plain.counted(*(replace(one, created_at=NOW, updated_at=NOW) for one in (EARLY, LATE, LATER)))
    assert shown() == plain()
    assert shown.parts() == 0


def test_an_open_part_that_comes_to_nothing_leaves_what_was_final(shown):
    shown.fold(final=[EARLY], is_open=False)
    before = shown()
    shown.fold(opened=[LATE])
    assert shown() != before
    shown.fold(is_open=False)
    assert shown() == before


def test_a_finding_that_was_open_only_is_taken_back_when_it_comes_to_nothing(shown):
    shown.fold(opened=[EARLY])
    shown.fold(is_open=False)
    assert shown() == []


def test_what_did_not_change_is_not_written_again(shown):
    shown.fold(opened=[EARLY])
    assert shown.fold(opened=[EARLY]) == (0, 0)


def test_an_archived_finding_stays_so_until_it_happens_again(shown):
    shown.fold(opened=[EARLY])
    shown.archive()
    shown.fold(final=[EARLY], is_open=False)
    assert '"archived":true' in str(shown())
    shown.fold(opened=[LATE])
    assert '"archived":false' in str(shown())


def test_what_is_open_is_final_where_it_is_not_known_any_more_what_it_was_made_of(shown):
    shown.fold(opened=[EARLY])
    shown.close_all()
    shown.fold(final=[LATE], is_open=False)
    assert shown.count() == EARLY.count + LATE.count


def test_of_what_is_open_only_that_is_read_which_changes(shown):
    shown.fold(opened=[EARLY])
    with shown._database.writing() as connection:
        connection.execute(OPEN_PARTS.update().values(json="not read", evidence="not read"))
    shown.fold()
    assert shown.parts() == 1
