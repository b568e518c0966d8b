"""Bodies that are sent to us: taken when they are safe, refused with a reason, and deleted when they are done."""

from __future__ import annotations

import errno
import gzip
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from source_samples import event, json_lines, log_file, read

from guardray.connectors.draining import Drain, Usage
from guardray.connectors.source import Failure, Lag
from guardray.connectors.spool import Spool, SpoolConfig
from guardray.connectors.spooled import SpoolSource
from guardray.errors import RefusedError, SpoolFullError, UsageError
from guardray.sources.reader import Reader

LOG = log_file(event())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def spool(path: Path) -> Spool:
    return Spool(SpoolConfig(path=path))


def names(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.iterdir())


@pytest.mark.parametrize(
    "body", [LOG, gzip.compress(LOG), json_lines(event()), b"\xef\xbb\xbf" + LOG], ids=["plain", "gzip", "lines", "bom"]
)
def test_a_log_is_taken_and_read(body, spool, path):
    accepted = spool.accept("on-premises", [body[:10], body[10:]])
    assert accepted.size == len(body)
    (arrival,) = SpoolSource(path).poll(10)
    assert arrival.receipt == accepted.name
    assert "on-premises" in accepted.name
    assert read(Reader(), [arrival.object]).frame.height == 1


def test_parquet_is_taken(spool, tmp_path):
    assert spool.accept("lake", [b"PAR1 and more"]).name.endswith(".parquet")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the body is empty"),
        (b"hello", "the body is no log that is read here: no known log format"),
        (b"PK\x03\x04zip", "a zip archive: only gzip is read"),
        (gzip.compress(b"hello", mtime=0), "no known log format"),
        (gzip.compress(gzip.compress(LOG, mtime=0), mtime=0), "gzip inside gzip"),
        (gzip.compress(LOG, mtime=0)[:-9], "the body is damaged: gzip ends early"),
        (gzip.compress(LOG, mtime=0) + b"more", "the body is damaged: bytes after the end"),
        (b"[]", "the body holds no log records: nothing but white space"),
        (b'{"configurationItems": []}', "the body holds no log records: written by AWS beside the logs"),
    ],
)
def test_what_is_no_log_is_refused_with_the_reason_and_leaves_nothing(body, reason, spool, path):
    with pytest.raises(RefusedError, match=reason):
        spool.accept("sender", [body])
    assert names(path) == []


def test_a_body_over_the_limit_is_refused_before_and_while_it_is_sent(path):
    spool = Spool(SpoolConfig(path=path, max_body_bytes=1_000))
    with pytest.raises(RefusedError, match="larger than 1,000 bytes"):
        spool.accept("sender", [], size=1_001)
    sent = 0

    def endless():
        nonlocal sent
        while True:
            sent += 100
            yield b"x" * 100

    with pytest.raises(RefusedError, match="larger than 1,000 bytes"):
        spool.accept("sender", endless())
    assert sent == 1_100
    assert names(path) == []


def test_a_bomb_is_refused(path):
    spool = Spool(SpoolConfig(path=path, max_text_bytes=1 << 20))
    with pytest.raises(RefusedError, match="more than 1,048,576 bytes when decompressed"):
        spool.accept("sender", [gzip.compress(json_lines(event()) * 10_000)])


@pytest.mark.parametrize("source", ["", "../etc", ".hidden", "a/b", "a b", "x" * 65, "a\n"])
def test_a_name_that_could_lead_elsewhere_is_no_source(source, spool):
    with pytest.raises(UsageError, match="is no name for a source"):
        spool.accept(source, [LOG])


@given(source=st.text(max_size=80))
def test_no_name_writes_outside_the_spool(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("named")
    spool = Spool(SpoolConfig(path=folder / "spool"))
    with suppress(UsageError):
        spool.accept(source, [LOG])
    assert names(folder) == ["spool"]


def test_a_sender_that_breaks_off_leaves_nothing(spool, path):
    def broken():
        yield LOG[:10]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        spool.accept("sender", broken())
    assert names(path) == []


def test_too_many_objects_push_back_until_some_are_done(path):
    spool = Spool(SpoolConfig(path=path, max_objects=2))
    for _ in range(2):
        spool.accept("sender", [LOG], size=len(LOG))
    with pytest.raises(SpoolFullError, match="more than 2 objects would wait to be read: try again in 10 s") as raised:
        spool.accept("sender", [LOG], size=len(LOG))
    assert raised.value.retry_after_s == 10
    source = SpoolSource(path)
    source.acknowledge([arrival.receipt for arrival in source.poll(1)])
    time.sleep(0.6)
    spool.accept("sender", [LOG], size=len(LOG))


def test_too_many_bytes_push_back(path):
    spool = Spool(SpoolConfig(path=path, max_bytes=3 * len(LOG) - 1))
    for _ in range(2):
        spool.accept("sender", [LOG], size=len(LOG))
    with pytest.raises(SpoolFullError, match="bytes would wait to be read"):
        spool.accept("sender", [LOG], size=len(LOG))


def test_senders_at_once_do_not_get_past_the_limits_together(path):
    spool = Spool(SpoolConfig(path=path, max_objects=5))

    def send(_: int) -> bool:
        try:
            spool.accept("sender", [LOG[:5], LOG[5:]], size=len(LOG))
        except SpoolFullError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        taken = sum(pool.map(send, range(40)))
    assert taken == 5 == len(names(path))


def test_a_full_disk_pushes_back(spool, path, monkeypatch):
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SpoolFullError, match="the disk is full"):
        spool.accept("sender", [LOG])
    assert names(path) == []


def test_a_body_whose_writer_was_killed_is_neither_read_nor_kept(path):
    path.mkdir()
    (path / ".half").write_bytes(LOG[:5])
    assert SpoolSource(path).poll(10) == []
    os.utime(path / ".half", (0, 0))
    Spool(SpoolConfig(path=path))
    assert names(path) == []


def test_bodies_come_in_the_order_of_their_arrival_and_once(spool, path):
    sent = [spool.accept("sender", [log_file(event(eventID=str(number)))]).name for number in range(5)]
    source = SpoolSource(path)
    arrivals = source.poll(3) + source.poll(3) + source.poll(3)
    assert [arrival.receipt for arrival in arrivals] == sent
    written = [datetime.fromtimestamp((path / name).stat().st_mtime, UTC) for name in sent]
    assert [arrival.object.written for arrival in arrivals] == written
    source.acknowledge(sent[:2])
    assert names(path) == sent[2:]


def test_what_the_checkpoint_holds_is_deleted_after_a_crash_and_the_rest_comes_again(spool, path):
    sent = [spool.accept("sender", [LOG]).name for _ in range(3)]
    first = SpoolSource(path)
    first.poll(10)
    position = json.loads(json.dumps(first.position(sent[:2])))
    second = SpoolSource(path)
    second.restore(position)
    assert names(path) == sent[2:]
    assert [arrival.receipt for arrival in second.poll(10)] == sent[2:]


def test_a_position_deletes_nothing_outside_the_spool(spool, path, tmp_path):
    (tmp_path / "kept").touch()
    source = SpoolSource(path)
    source.restore({"kind": "spool", "version": 1, "done": ["../kept", str(tmp_path / "kept")]})
    assert (tmp_path / "kept").exists()
    assert len(source.problems()) == 2


def test_what_could_not_be_read_comes_again(spool, path, clock: Any):
    spool.accept("sender", [LOG])
    source = SpoolSource(path, clock)
    (arrival,) = source.poll(10)
    source.release([arrival.receipt], Failure.THROTTLED)
    assert source.poll(10) == []
    clock.advance(seconds=1)
    (again,) = source.poll(10)
    assert again.attempt == 2


def test_lag_is_what_lies_there(spool, path, clock: Any):
    source = SpoolSource(path, clock)
    assert source.lag().backlog == 0
    spool.accept("sender", [LOG])
    clock.now = datetime.now(UTC) + timedelta(minutes=3)
    assert source.lag().backlog == 1
    assert timedelta(minutes=2) < source.lag().oldest < timedelta(minutes=4)
    assert source.lag([one.receipt for one in source.poll(10)]) == Lag()


def test_senders_are_told_how_long_making_room_will_take():
    drain = Drain()
    assert drain.time_for(Usage(1, 0)) == 10
    for _ in range(120):
        drain.observe(Usage(2, 1_000), 1.0)  # two objects and a thousand bytes a second
    assert drain.time_for(Usage(40, 0)) == pytest.approx(20, abs=1)
    assert drain.time_for(Usage(1, 30_000)) == pytest.approx(30, abs=1)
    assert drain.time_for(Usage(1_000_000, 0)) == 300
    assert drain.time_for(Usage(0, 1)) == 1
