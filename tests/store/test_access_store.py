"""Keys and the audit log as they are kept, in both databases."""

from __future__ import annotations

from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta

import pytest

from guardray.store.access_audit import DONE, AuditEntry, AuditLog, append
from guardray.store.access_keys import AccessKeys, KeyRecord
from guardray.store.database import Database

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def record(key_id="GRAKA", **more) -> KeyRecord:
    usual = {"kind": "signing", "account_id": "111122223333", "role": "reader", "regions": None, "secret": "sealed"}
    return KeyRecord(**(usual | {"id": key_id, "sealed_by": "s", "created_at": NOW} | more))


def entry(number=0, **more) -> AuditEntry:
    usual = {"actor": "GRAKA", "account_id": "111122223333", "region": "eu-west-1", "operation": "CreateFilter"}
    usual |= {"parameters": "{}", "outcome": DONE, "request_id": f"r-{number}", "source_ip": "192.0.2.1"}
    return AuditEntry(time=NOW + timedelta(seconds=number), **(usual | more))


@pytest.fixture
def keys(store_url):
    with AccessKeys.open(store_url) as opened:
        yield opened


@pytest.fixture
def log(store_url):
    with AuditLog.open(store_url) as opened:
        yield opened


def test_a_key_comes_back_as_it_was_kept(keys):
    first, second = record(), record("GRTKB", kind="token", regions=frozenset({"us-east-1", "eu-west-1"}))
    keys.add(first, entry())
    keys.add(second, entry())
    assert keys.records() == [first, second]


def test_revoking_counts_once_and_is_told_of_in_the_same_step(keys, log):
    keys.add(record(), entry())
    assert keys.revoke("GRAKA", entry(5, operation="RevokeKey"))
    assert not keys.revoke("GRAKA", entry(6, operation="RevokeKey"))
    assert not keys.revoke("GRAKX", entry(7, operation="RevokeKey"))
    assert keys.records()[0].revoked_at == NOW + timedelta(seconds=5)
    assert [one.request_id for one in log.entries()] == ["r-5", "r-0"]


def test_the_version_grows_whenever_keys_change(keys):
    versions = [keys.version()]
    for key_id in ("GRAKA", "GRAKB"):
        keys.add(record(key_id), entry())
        versions.append(keys.version())
    for key_id in ("GRAKA", "GRAKB"):
        keys.revoke(key_id, entry())
        versions.append(keys.version())
    assert versions == sorted(set(versions))


def test_the_latest_use_of_a_key_is_kept_whoever_tells_of_it_first(keys):
    keys.add(record(), entry())
    keys.note_use({})
    for hours, kept in ((2, 2), (1, 2), (3, 3)):
        keys.note_use({"GRAKA": NOW + timedelta(hours=hours), "GRAKX": NOW})
        assert keys.records()[0].last_used_at == NOW + timedelta(hours=kept)
    assert keys.version() == (1, 0)


def test_entries_come_latest_first_of_one_account_or_of_all(log):
    for number in range(5):
        log.append(entry(number, account_id=f"{number % 2:012}"))
    assert [one.request_id for one in log.entries(limit=3)] == ["r-4", "r-3", "r-2"]
    assert [one.request_id for one in log.entries(account_id=f"{1:012}")] == ["r-3", "r-1"]
    assert log.entries(limit=1) == [entry(4, account_id=f"{0:012}")]


def test_what_comes_from_requests_is_kept_whatever_it_holds(log):
    odd = entry(actor="a\0b", parameters='{"a": "\\u0000 ü"}', request_id="' OR 1=1 --", region=None)
    log.append(odd)
    (kept,) = log.entries()
    assert (kept.actor, kept.parameters, kept.request_id, kept.region) == (
        "a�b",
        odd.parameters,
        odd.request_id,
        None,
    )


def test_an_entry_goes_with_the_change_that_it_tells_of(store_url, log):
    with closing(Database(store_url)) as database:
        with suppress(RuntimeError), database.writing() as connection:
            append(connection, entry())
            raise RuntimeError("the change failed")
        assert log.entries() == []
        with database.writing() as connection:
            append(connection, entry())
    assert log.entries() == [entry()]
