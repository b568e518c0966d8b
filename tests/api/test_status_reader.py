"""The status is read seldom, and a store that hangs holds up nobody for long."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from api.service_serving import tell
from finding_examples import one_of_each
from service_examples import RUNNING, stopped
from sqlalchemy import event

from guardray.api import status_reader
from guardray.api.status_reader import StatusReader
from guardray.service.status import PublisherStatus
from guardray.store.api_resources import StoredResource, add
from guardray.store.findings import FindingStore
from guardray.store.outbox import Outbox
from guardray.store.outbox_register import Subscription


@pytest.fixture
def statements(database):
    """How many statements the store was asked."""
    seen = []

    def listener(*told):
        seen.append(told[2])

    event.listen(database._engine, "before_cursor_execute", listener)
    yield seen
    event.remove(database._engine, "before_cursor_execute", listener)


def test_a_list_that_cannot_be_used_is_among_the_problems_with_its_reason(database):
    tell(database, RUNNING)
    now = datetime.now(UTC)
    kind = {"account_id": "111122223333", "region": "eu-west-1", "kind": "ipset", "name": "office"}
    content = {"Location": "s3://lists/office.txt", "ErrorDetails": "s3://lists/office.txt: access denied"}
    with database.writing() as connection:
        for id_, status in (("a", "ERROR"), ("b", "ACTIVE")):
            one = StoredResource(
                **{**kind, "name": f"office {id_}"},
                id=id_,
                status=status,
                content=content,
                created_at=now,
                updated_at=now,
            )
            add(connection, one)
    *_, told = StatusReader(database).look().status.problems
    assert told.text == (
        "ipset 'office a' of 111122223333 in eu-west-1 is not in use: s3://lists/office.txt: access denied"
    )


def test_many_who_ask_at_once_are_one_question(database, statements):
    tell(database, RUNNING)
    reader = StatusReader(database)
    statements.clear()
    threads = [threading.Thread(target=reader.look) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([one for one in statements if "service_status" in one]) == 1


def test_what_was_known_is_told_while_the_store_hangs_and_grows_old(database, monkeypatch):
    tell(database, RUNNING)
    monkeypatch.setattr(status_reader, "KEPT_S", 0)
    monkeypatch.setattr(status_reader, "_PATIENCE_S", 0.05)
    late = [timedelta(0)]
    clock = status_reader.utc_now
    reader = StatusReader(database, clock=lambda: clock() + late[0])
    assert reader.look().not_ready() is None
    asked, answered = threading.Event(), threading.Event()

    def hang(*told):
        asked.set()
        answered.wait(10)

    event.listen(database._engine, "before_cursor_execute", hang)
    thread = threading.Thread(target=reader.look)
    thread.start()
    asked.wait(10)
    start = time.monotonic()
    assert reader.look().status == reader.look().status
    late[0] = timedelta(seconds=30)
    assert reader.look().not_ready().startswith("nothing was heard of the service for")
    assert time.monotonic() - start < 5
    answered.set()
    thread.join()
    event.remove(database._engine, "before_cursor_execute", hang)


def test_destinations_are_told_from_the_outbox(database):
    tell(database, RUNNING)
    now = datetime.now(UTC)
    Outbox(database).register([Subscription(name="files", update_every=timedelta(minutes=15))], now)
    FindingStore(database).commit(one_of_each(), epoch="a", now=now)
    (found,) = StatusReader(database).look().status.publishers
    assert found == PublisherStatus(destination="files", due=4, dead=0)


def test_a_status_that_cannot_be_read_is_told_of(database, monkeypatch):
    monkeypatch.setattr(status_reader, "KEPT_S", 0)
    tell(database, stopped())
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE service_status SET content = '{}'")
    assert StatusReader(database).look().not_ready() == "the status of the service cannot be read"
