"""Files that are put into a watched folder."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from source_samples import event, json_lines, log_file, read

from guardray.connectors import files
from guardray.connectors.blocks import ENTRIES, entries_of
from guardray.connectors.folder import FolderConfig, FolderSource
from guardray.connectors.source import Failure, Lag
from guardray.connectors.watching import Changes
from guardray.errors import SourceError
from guardray.sources.fetching import open_object
from guardray.sources.reader import Reader

TRAIL = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/20/111122223333_CloudTrail_eu-west-1_20261120T1205Z_x.json"


class Watched:
    """A folder of a test, and sources that watch it."""

    def __init__(self, path: Path, clock: Any) -> None:
        self.path, self.clock = path, clock
        self.opened: list[FolderSource] = []

    def open(self, **options: Any) -> FolderSource:
        self.opened.append(FolderSource(FolderConfig(path=self.path, **options), self.clock))
        return self.opened[-1]

    def put(self, name: str, content: bytes | str = b"x\n", *, append: bool = False) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab" if append else "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        return path

    def settled(self, source: FolderSource, limit: int = 100) -> list[Any]:
        """What arrives, after long enough for all to be looked at and to be still."""
        arrivals = source.poll(limit)
        for _ in range(2):
            self.clock.advance(minutes=6)
            arrivals += source.poll(limit - len(arrivals))
        return arrivals

    def names(self, arrivals: list[Any]) -> list[str]:
        return sorted(os.path.relpath(arrival.object.url, self.path) for arrival in arrivals)


@pytest.fixture
def folder(tmp_path: Path, clock: Any) -> Any:
    path = tmp_path / "logs"
    path.mkdir()
    watched = Watched(path, clock)
    yield watched
    for source in watched.opened:
        source.close()


def finish(source: FolderSource, arrivals: list[Any]) -> None:
    source.acknowledge([arrival.receipt for arrival in arrivals])


def content(arrivals: list[Any]) -> list[bytes]:
    found = []
    for arrival in arrivals:
        with open_object(arrival.object) as file:
            found.append(file.read())
    return found


def test_files_that_are_there_and_that_come_arrive_once(folder):
    folder.put("a.json")
    source = folder.open()
    arrivals = folder.settled(source)
    assert folder.names(arrivals) == ["a.json"]
    finish(source, arrivals)
    folder.put("below/deeper/b.json")
    arrivals = folder.settled(source)
    assert folder.names(arrivals) == ["below/deeper/b.json"]
    finish(source, arrivals)
    assert folder.settled(source) == []


def test_what_keys_tell_is_known_of_files_too(folder):
    folder.put(TRAIL)
    folder.put(TRAIL.replace("CloudTrail", "CloudTrail-Digest"))
    (arrival,) = folder.settled(folder.open())
    found = arrival.object
    assert (found.account_id, found.region, found.key_time) == (
        "111122223333",
        "eu-west-1",
        datetime(2026, 11, 20, 12, 5, tzinfo=UTC),
    )


def test_a_file_is_left_alone_while_somebody_writes_to_it(folder):
    source = folder.open(still=timedelta(seconds=5), recheck_interval=timedelta(seconds=1))
    source.poll(10)
    for _ in range(5):
        folder.put("a.json", "more\n", append=True)
        folder.clock.advance(seconds=3)
        assert source.poll(10) == []
    folder.clock.advance(seconds=5)
    assert content(source.poll(10)) == [b"more\n" * 5]


def test_a_file_that_has_long_been_still_by_its_own_account_is_read_at_once(folder):
    folder.put("a.json")
    folder.clock.now = datetime.now(UTC) + timedelta(seconds=3)
    assert len(folder.open(still=timedelta(seconds=2)).poll(10)) == 1


def test_a_file_that_is_moved_there_arrives_whole(folder, tmp_path):
    source = folder.open()
    source.poll(10)
    written = tmp_path / "elsewhere"
    written.write_bytes(b"whole\n")
    written.rename(folder.path / "a.json")
    assert content(folder.settled(source)) == [b"whole\n"]


@pytest.mark.parametrize("name", ["a.json.tmp", ".a.json.x7", "a.json.part", "a.json~", ".git/a.json"])
def test_unfinished_and_hidden_files_are_left_alone_until_they_are_renamed(name, folder):
    source = folder.open()
    source.poll(10)
    unfinished = folder.put(name)
    assert folder.settled(source) == []
    unfinished.rename(folder.path / "a.json")
    assert folder.names(folder.settled(source)) == ["a.json"]


def test_the_lines_that_are_appended_to_a_file_arrive_on_their_own(folder):
    folder.put("q.log", "one\ntwo\n")
    source = folder.open()
    finish(source, folder.settled(source))
    folder.put("q.log", "three\nfo", append=True)
    arrivals = folder.settled(source)
    assert content(arrivals) == [b"three\n"]
    finish(source, arrivals)
    folder.put("q.log", "ur\n", append=True)
    assert content(folder.settled(source)) == [b"four\n"]


def test_each_part_of_a_file_tells_when_the_file_was_last_written(folder):
    folder.put("q.log", "one\n")
    source = folder.open()
    for days in range(3):
        os.utime(folder.path / "q.log", (0, 1_790_000_000 + days * 86_400))
        (arrival,) = arrivals = folder.settled(source)
        assert arrival.object.written == datetime.fromtimestamp(1_790_000_000 + days * 86_400, UTC)
        folder.put("q.log", "more\n", append=True)
        finish(source, arrivals)


def test_what_is_appended_while_a_part_is_read_comes_after_it(folder):
    folder.put("q.log", "one\n")
    source = folder.open()
    arrivals = folder.settled(source)
    folder.put("q.log", "two\n", append=True)
    assert folder.settled(source) == []
    assert content(arrivals) == [b"one\n"]
    finish(source, arrivals)
    assert content(folder.settled(source)) == [b"two\n"]


def test_half_a_line_that_was_read_is_read_again_when_it_is_whole(folder):
    folder.put("q.log", "one\ntw")
    source = folder.open()
    finish(source, folder.settled(source))
    folder.put("q.log", "o\nthree\n", append=True)
    assert content(folder.settled(source)) == [b"two\nthree\n"]


def test_flow_records_that_are_appended_are_read_by_the_header_of_their_file(folder):
    order = "srcaddr dstaddr interface-id account-id start end srcport dstport protocol packets bytes action log-status"
    line = "10.0.0.1 198.51.100.7 eni-0a 111122223333 1700000000 1700000060 {port} 443 6 1 40 ACCEPT OK 2\n"
    folder.put("flow.log", f"{order} version\n" + line.format(port=1))
    source = folder.open()
    finish(source, folder.settled(source))
    folder.put("flow.log", line.format(port=2) + line.format(port=3), append=True)
    (arrival,) = folder.settled(source)
    frame = read(Reader(), [arrival.object]).frame
    assert frame.height == 2
    assert set(frame["src_endpoint_port"].to_list()) | set(frame["dst_endpoint_port"].to_list()) == {2, 3, 443}


def test_a_large_file_arrives_in_parts_that_end_with_a_line(folder, monkeypatch):
    monkeypatch.setattr(files, "PART_BYTES", 100)
    lines = "".join(f"line {number:05}\n" for number in range(50))
    folder.put("q.log", lines)
    source = folder.open()
    parts: list[bytes] = []
    while arrivals := folder.settled(source):
        parts += content(arrivals)
        finish(source, arrivals)
    assert b"".join(parts).decode() == lines
    assert all(len(part) <= 100 and part.endswith(b"\n") for part in parts)


def test_a_document_that_is_written_anew_is_read_anew(folder):
    folder.put("a.json", log_file(event()))
    source = folder.open()
    finish(source, folder.settled(source))
    folder.put("a.json", log_file(event(), event(eventID="e-2")))
    assert content(folder.settled(source)) == [log_file(event(), event(eventID="e-2"))]


def test_a_member_that_is_appended_to_gzip_arrives_on_its_own(folder):
    folder.put("q.gz", gzip.compress(json_lines(event())))
    source = folder.open()
    finish(source, folder.settled(source))
    folder.put("q.gz", gzip.compress(json_lines(event(eventID="e-2"))), append=True)
    (arrival,) = folder.settled(source)
    assert read(Reader(), [arrival.object]).frame.height == 1


def test_gzip_that_was_not_whole_is_read_anew_when_it_is(folder):
    whole = gzip.compress(json_lines(*(event(eventID=f"e-{number}") for number in range(200))))
    folder.put("q.gz", whole[:300])
    source = folder.open()
    finish(source, folder.settled(source))
    folder.put("q.gz", whole[300:], append=True)
    (arrival,) = folder.settled(source)
    assert read(Reader(), [arrival.object]).frame.height == 200


def test_a_file_that_is_rotated_away_is_not_read_again_and_the_new_one_is(folder):
    log = folder.put("q.log", "one\n")
    source = folder.open()
    finish(source, folder.settled(source))
    folder.put("q.log", "last\n", append=True)  # before it is renamed, and not read yet
    log.rename(folder.path / "q.log.1")
    folder.put("q.log", "new\n")
    arrivals = folder.settled(source)
    last, new = sorted(arrivals, key=lambda arrival: arrival.object.url, reverse=True)
    assert folder.names([last, new]) == ["q.log", "q.log.1"]
    assert content([last, new]) == [b"last\n", b"new\n"]
    finish(source, arrivals)
    (folder.path / "q.log.1").rename(folder.path / "q.log.2")
    assert folder.settled(source) == []
    position = source.position()
    assert sorted(kept[0] for kept in entries_of(position["blocks"])) == ["q.log", "q.log.2"]


def test_a_file_that_is_copied_away_and_cut_is_read_from_its_start(folder):
    log = folder.put("q.log", "one\ntwo\n")
    source = folder.open()
    finish(source, folder.settled(source))
    shutil.copy(log, folder.path / "q.log.1")
    os.truncate(log, 0)
    folder.put("q.log", "three and more than before\n", append=True)
    assert sorted(content(folder.settled(source))) == [b"one\ntwo\n", b"three and more than before\n"]


def test_a_restart_goes_on_from_the_position(folder):
    for name in ("a", "b", "c"):
        folder.put(f"{name}.log", f"{name}\n")
    first = folder.open()
    arrivals = folder.settled(first)
    done = [arrival.receipt for arrival in arrivals if not arrival.object.url.endswith("b.log")]
    position = json.loads(json.dumps(first.position(done)))
    folder.put("a.log", "more\n", append=True)
    second = folder.open()
    second.restore(position)
    assert sorted(content(folder.settled(second))) == [b"b\n", b"more\n"]


def test_a_name_that_is_no_text_is_told_of_and_the_others_are_read(folder):
    folder.put(os.fsdecode(b"odd \xff\xfe %41.log"))
    folder.put("odd %41.log")
    source = folder.open()
    (arrival,) = folder.settled(source)
    assert arrival.object.url.endswith("/odd %41.log")
    assert {problem.reason.partition(",")[0] for problem in source.problems()} == {"its name is not UTF-8"}
    restarted = folder.open()
    restarted.restore(json.loads(json.dumps(source.position([arrival.receipt]))))
    assert folder.settled(restarted) == []


def test_files_that_are_gone_are_forgotten(folder):
    gone = folder.put("a.log")
    folder.put("b.log")
    source = folder.open()
    finish(source, folder.settled(source))
    gone.unlink()
    folder.settled(source)
    assert [kept[0] for kept in entries_of(source.position()["blocks"])] == ["b.log"]


def test_a_file_that_goes_before_it_is_read_is_no_problem(folder):
    folder.put("a.log")
    source = folder.open()
    source.poll(10)
    (folder.path / "a.log").unlink()
    assert folder.settled(source) == []
    assert source.problems() == []


def test_what_could_not_be_read_comes_again(folder):
    folder.put("a.log")
    source = folder.open()
    (arrival,) = folder.settled(source)
    source.release([arrival.receipt], Failure.DENIED)
    assert source.poll(10) == []
    (again,) = folder.settled(source)
    assert again.attempt == 2
    assert len(source.problems()) == 1


def test_pipes_are_told_of_and_passed_over(folder):
    os.mkfifo(folder.path / "pipe")
    folder.put("a.log")
    source = folder.open()
    assert folder.names(folder.settled(source)) == ["a.log"]
    assert "is not a regular file" in str(source.problems()[0])


def test_all_is_found_where_the_system_tells_nothing(folder, monkeypatch):
    monkeypatch.setattr(Changes, "drain", lambda changes: None)
    source = folder.open()
    source.poll(10)
    folder.put("below/a.log")
    assert folder.names(folder.settled(source)) == ["below/a.log"]


def test_changes_are_noticed_between_two_looks_at_everything(folder):
    source = folder.open(still=timedelta(0), recheck_interval=timedelta(days=1))
    source.poll(10)
    folder.put("below/deeper/a.log")
    for _ in range(100):
        if arrivals := source.poll(10):
            break
        time.sleep(0.02)
    assert folder.names(arrivals) == ["below/deeper/a.log"]


def test_lag_is_what_waits_and_what_is_worked_on_without_what_is_done(folder):
    folder.put("a.log")
    folder.put("b.log")
    source = folder.open()
    folder.clock.now = datetime.now(UTC) + timedelta(hours=1)
    arrivals = source.poll(2)
    lag = source.lag()
    assert lag.backlog == 2
    assert timedelta(minutes=59) < lag.oldest < timedelta(minutes=61)
    assert source.lag([arrivals[0].receipt]).backlog == 1
    assert source.lag([one.receipt for one in arrivals]) == Lag()


def test_a_folder_that_is_not_there_is_one_clear_error(tmp_path, clock):
    with pytest.raises(SourceError, match="nowhere: no such folder"):
        FolderSource(FolderConfig(path=tmp_path / "nowhere"), clock).poll(1)


@given(chunks=st.lists(st.text("ab\n", max_size=6), max_size=12))
def test_every_whole_line_arrives_once_and_in_order_however_a_file_grows(chunks, tmp_path_factory):
    path = tmp_path_factory.mktemp("grown") / "q.log"
    known, lines = None, b""
    for chunk in ["start\n", *chunks]:
        with path.open("ab") as file:
            file.write(chunk.encode())
        state = files.FileState.of(str(path), path.stat())
        part = files.part_to_read(state, known)
        if part is None:
            continue
        text = path.read_bytes()
        end = state.size if part.end is None else part.end
        lines += text[part.start : end]
        with path.open("rb") as file:
            known = files.ReadFile(state, end, files.print_of(file, end))
    whole = path.read_bytes()
    assert lines == whole[: whole.rfind(b"\n") + 1]


def test_one_file_more_changes_one_block_of_the_position_however_many_there_are(folder):
    source = folder.open()
    for number in range(3 * ENTRIES + 5):
        folder.put(f"{number}.json")
    finish(source, folder.settled(source, limit=10_000))
    before = source.position()["blocks"]
    folder.put("new.json")
    arrivals = folder.settled(source)
    done = [arrival.receipt for arrival in arrivals]
    assert source.position(done)["blocks"][:-1] == before
    source.acknowledge(done)
    after = source.position()["blocks"]
    assert len(set(after) - set(before)) == 1
    assert len(list(entries_of(after))) == 3 * ENTRIES + 6


def test_a_position_of_before_there_were_blocks_is_gone_on_from(folder):
    folder.put("a.json")
    first = folder.open()
    finish(first, folder.settled(first))
    position = first.position()
    old = {**position, "files": list(entries_of(position["blocks"]))}
    del old["blocks"]
    second = folder.open()
    second.restore(old)
    assert folder.settled(second) == []


def test_of_a_file_that_is_in_a_position_twice_the_latter_holds(folder):
    folder.put("a.log", "one\n")
    source = folder.open()
    finish(source, folder.settled(source))
    folder.put("a.log", "two\n", append=True)
    position = source.position([arrival.receipt for arrival in folder.settled(source)])
    restarted = folder.open()
    restarted.restore(json.loads(json.dumps(position)))
    assert folder.settled(restarted) == []
