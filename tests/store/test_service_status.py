"""What the service says of itself, in the store."""

from __future__ import annotations

from datetime import timedelta

import pytest
from finding_examples import NOW

from guardray.errors import FencedError
from guardray.store.database import Database
from guardray.store.lease import Lease
from guardray.store.service_status import StatusBoard

LASTS = timedelta(seconds=30)


@pytest.fixture
def database(store_url):
    database = Database(store_url)
    yield database
    database.close()


@pytest.fixture
def fence(database):
    return Lease(database).acquire("one", NOW, LASTS)


def test_there_is_none_where_no_service_has_run(database):
    assert StatusBoard(database).read() is None


def test_what_was_said_last_is_read(database, fence):
    board = StatusBoard(database)
    board.save('{"phase": "starting"}', NOW, fence)
    board.save('{"phase": "running"}', NOW + LASTS, fence)
    assert board.read() == '{"phase": "running"}'


def test_a_coordinator_that_was_cut_off_does_not_speak_for_the_service(database, fence):
    board = StatusBoard(database)
    board.save("new", NOW, Lease(database).acquire("two", NOW, LASTS, take_over=True))
    with pytest.raises(FencedError, match="another process"):
        board.save("old", NOW, fence)
    assert board.read() == "new"
